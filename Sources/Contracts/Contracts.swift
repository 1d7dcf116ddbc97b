// Contracts: what the gateway promises about each of its operations, and how it says no.
//
// A contract is one YAML file, `policies/services/OPERATION.yaml`: its endpoints, parameters, schemas and examples,
// who typically calls it, how urgent it is, what it needs of Odoo and which problems it answers. `ContractSet` loads
// them all or tells every error with file, line and column; it finds the endpoint of a request, and `OpenAPI` writes
// the document of exactly what was loaded. `Schema` is the part of JSON Schema 2020-12 that contracts use; it reports
// all violations of a value at once. `Problem` is every refusal on the wire (RFC 9457), `ProblemType` the closed
// catalogue of them, explained in docs/ERRORS.md.
//
// This room is pure: texts and values in, values out. It opens no file and knows no service, no policy and no Odoo.
