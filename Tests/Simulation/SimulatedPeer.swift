/// The other side of a simulated socket: a script of the test.
package protocol SimulatedPeer: AnyObject {
    /// Bytes came from the code under test.
    func received(_ bytes: ArraySlice<UInt8>, on wire: SimulatedWire)
    /// The code under test has finished sending, or, `abruptly`, reset the connection.
    func ended(abruptly: Bool, on wire: SimulatedWire)
}
