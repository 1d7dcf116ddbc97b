import Testing

@testable import Gateway

@Suite struct InheritedListenerTests {
    @Test func whatWasWrittenReadsBack() {
        let all = [
            InheritedListener(name: "plain", descriptor: 7), InheritedListener(name: "plain", descriptor: 8),
            InheritedListener(name: "odd=name", descriptor: 9),
        ]
        #expect(InheritedListener.parse(InheritedListener.text(all)) == all)
        #expect(InheritedListener.parse("").isEmpty)
    }

    /// Standard input, output and error are nobody's listeners.
    @Test(arguments: ["plain", "plain=", "plain=x", "plain=-1", "plain=0", "plain=2", "=", ",,", "plain=99999999999"])
    func whatIsNoDescriptorIsLeftOut(text: String) {
        #expect(InheritedListener.parse(text).isEmpty)
    }
}
