// Wire: bytes as tests write them on a wire, for both protocols: frames, and blocking clients that send what they are told.
//
// It knows none of the code under test, and must never be imported by a room of Sources.
