// Documents: YAML files that people write, with a place for everything that is wrong in them.
//
// `Document.parse` turns text into nodes that know their line and column; `DocumentReader` reads typed values from
// the nodes and collects every error of the file, each as one line that an editor can jump to:
//
//     deploy/millgate.yaml:14:9: unknown key 'listner'; did you mean 'listen'?
//
// Only the plain core of YAML is accepted: no anchors, aliases, tags, complex or duplicate keys and no second
// document, because each of them lets a file mean something else than it seems to.
//
// This room is pure: it is given text, it opens no file. It knows nothing of configuration or policy.
