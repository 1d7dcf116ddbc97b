// Patterns: regular expressions in the syntax of RE2, matched in time linear in the text.
//
// A pattern becomes a bounded program; where it is small a table decides each character in one step, otherwise a set of
// states is carried along. Nothing is ever tried twice, so that no text and no pattern can make a match slow.
//
// This room is pure. It never knows who asks or why.
