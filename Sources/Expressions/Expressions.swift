// Expressions: the Common Expression Language (CEL), as the language definition of cel-spec has it.
//
// `Expression.compile` reads a text, checks its types against an `ExpressionEnvironment` and says what one evaluation
// can cost at most; `Expression.evaluate` takes values by slot and gives a value or an error. An expression ends, changes
// nothing and asks nobody: no file, clock, network or randomness can be reached from it.
//
// This room is pure. It never knows what the variables mean, who asks, or what a decision is.
