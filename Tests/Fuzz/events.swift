import Bytes
import Events
import JSON

/// A CloudEvent, structured and binary: what is read is written so that it is read the same.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    guard let json = try? JSONValue.parse(bytes), let event = try? CloudEvent(json: json) else { return 0 }
    guard let again = try? CloudEvent(json: event.json), again == event else { preconditionFailure("structured") }
    guard let binary = try? CloudEvent(fields: event.fields, contentType: "application/json", body: event.body) else {
        preconditionFailure("binary")
    }
    precondition(binary == event)
    return 0
}
