import Seeded
import Testing

@testable import Bytes

@Test func bufferGivesBackWhatWasAppendedInOrder() {
    let buffer = IOBuffer(capacity: 4)
    buffer.append(UInt8(ascii: "a"))
    buffer.append(copying: Array("bcdefgh".utf8).span)
    #expect(buffer.readable.text == "abcdefgh")
    #expect(buffer.count == 8)
    buffer.consume(3)
    #expect(buffer.readable.text == "defgh")
    buffer.consume(5)
    #expect(buffer.isEmpty)
    #expect(buffer.freeAtEnd == buffer.capacity)
}

@Test func bufferAgreesWithAnArrayOverRandomOperations() {
    for seed in 0..<40 as Range<UInt64> {
        var random = SeededGenerator(seed: seed)
        let buffer = IOBuffer(capacity: Int.random(in: 1...32, using: &random))
        var model: [UInt8] = []
        for _ in 0..<500 {
            switch Int.random(in: 0..<8, using: &random) {
            case 0:
                let byte = UInt8.random(in: 0...255, using: &random)
                buffer.append(byte)
                model.append(byte)
            case 1, 2:
                let bytes = random.bytes(Int.random(in: 0...70, using: &random))
                buffer.append(copying: bytes.span)
                model += bytes
            case 3, 4:
                let n = Int.random(in: 0...model.count, using: &random)
                buffer.consume(n)
                model.removeFirst(n)
            case 5:
                let n = Int.random(in: 0...model.count, using: &random)
                buffer.truncate(to: n)
                model.removeLast(model.count - n)
            case 6:
                let n = Int.random(in: 0...40, using: &random)
                buffer.makeRoom(n)
                #expect(buffer.freeAtEnd >= n)
            default:
                let bytes = random.bytes(Int.random(in: 0...9, using: &random))
                buffer.makeRoom(bytes.count)
                let written = buffer.fill { memory in
                    for (i, byte) in bytes.enumerated() { memory[i] = byte }
                    return bytes.count
                }
                #expect(written == bytes.count)
                model += bytes
            }
            #expect(buffer.count == model.count)
            #expect(buffer.isEmpty == model.isEmpty)
            #expect(buffer.count + buffer.freeAtEnd <= buffer.capacity)
        }
        #expect(buffer.readable.array == model)
        #expect(buffer.withReadable { Array($0) } == model)
    }
}

@Test(arguments: [1, 3, 8, 64]) func bufferCanBeAppendedToItself(capacity: Int) {
    let buffer = IOBuffer(capacity: capacity)
    buffer.append(copying: Array("xyz".utf8).span)
    buffer.consume(1)
    buffer.append(copying: buffer.readable)
    buffer.append(copying: buffer.readable)
    #expect(buffer.readable.text == "yzyzyzyz")
}

@Test func bufferMovesItsBytesToTheFrontBeforeItGrows() {
    let buffer = IOBuffer(capacity: 8)
    buffer.append(copying: Array("12345678".utf8).span)
    buffer.consume(5)
    buffer.append(copying: Array("abcde".utf8).span)
    #expect(buffer.readable.text == "678abcde")
    #expect(buffer.capacity == 8)
    buffer.append(UInt8(ascii: "!"))
    #expect(buffer.capacity == 16)
    #expect(buffer.readable.text == "678abcde!")
}

@Test func partOfABufferCanBeAppendedToAnother() {
    let source = IOBuffer(capacity: 16)
    source.append("..hello..")
    source.consume(1)
    let target = IOBuffer(capacity: 1)
    target.append(from: source, offset: 1, count: 5)
    target.append(from: source, offset: 8, count: 0)
    #expect(target.readable.text == "hello")
    #expect(source.readable.text == ".hello..")
}

@Test func aFailedFillLeavesTheBufferAsItWas() {
    let buffer = IOBuffer(capacity: 16)
    buffer.append("abc")
    #expect(buffer.fill { _ in -1 } == -1)
    #expect(buffer.fill { _ in 0 } == 0)
    #expect(buffer.readable.text == "abc")
}

@Test func poolKeepsBuffersOfItsSizeOnlyAndNoMoreThanItsBound() {
    let pool = IOBufferPool(bufferBytes: 64, keptMax: 2)
    let buffers = (0..<3).map { _ in pool.take() }
    buffers[0].append("left over")
    for buffer in buffers { pool.give(buffer) }
    let again = (0..<3).map { _ in pool.take() }
    #expect(again[0] === buffers[1] && again[1] === buffers[0])
    #expect(!buffers.contains { $0 === again[2] })
    #expect(again.allSatisfy { $0.isEmpty && $0.capacity == 64 })

    let grown = pool.take()
    grown.makeRoom(1_000)
    pool.give(grown)
    #expect(pool.take() !== grown)
}

@Test func literalsHaveTheirBytes() {
    let empty: StaticString = ""
    #expect(empty.bytes.count == 0)
    let literal: StaticString = "GET"
    #expect(literal.bytes.text == "GET")
}

@Test(arguments: [(1, "Via", "1.1 a"), (64, "Via", "1.1 a"), (64, "Empty", ""), (9, "A", "0123456789")])
func fieldIsOneLineWhetherOrNotThereIsRoom(capacity: Int, name: String, value: String) {
    let buffer = IOBuffer(capacity: capacity)
    buffer.append(field: Array(name.utf8).span, Array(value.utf8).span)
    #expect(buffer.readable.text == "\(name): \(value)\r\n")
}

@Test func swappedBuffersKeepTheirIdentityAndGiveTheirContentsAway() {
    let a = IOBuffer(capacity: 8)
    let b = IOBuffer(capacity: 32)
    a.append("first")
    b.append("the second")
    b.consume(4)
    a.swapContents(with: b)
    #expect(a.readable.text == "second" && a.capacity == 32)
    #expect(b.readable.text == "first" && b.capacity == 8)
}
