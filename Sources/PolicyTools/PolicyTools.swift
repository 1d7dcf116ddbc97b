// PolicyTools: what a security team does with a policy besides enforcing it.
//
// `PolicyTestFile` and `PolicyTestRun` try cases and count what they covered; `CaseSpace` makes, from policies, the
// callers, places and inputs at which their decisions can turn; `PolicyDiff`, `WhoCan` and `PolicyFindings` look at all of
// them; `PolicyReplay` makes recorded decisions again under another policy; `BundleManifest` says which files a bundle has.
//
// This room is pure: it takes policies and texts and gives findings. It never knows a running gateway, and nothing that
// it finds changes a decision.
