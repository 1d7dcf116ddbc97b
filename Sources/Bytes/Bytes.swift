// Bytes: the ground floor. Buffers, byte search, encodings, instants as values, exact decimals and the timer wheel.
//
// This room is pure: it knows no socket, file, clock or task. Time is an argument, and nothing here waits.
// Unsafe memory is touched in `UnsafeBuffer.swift` only.
//
// Declarations here are `public`, where other rooms say `package`, because only public code can be inlined across
// targets without ceremony; the package has no library product, so nothing is promised to anybody outside.
