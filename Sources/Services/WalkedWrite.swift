import Contracts
import JSON
import Odoo
import Store

/// A write whose walk may begin anew at any moment: each of its steps looks first whether it was done, or does nothing
/// the second time.
///
/// So there is one way through it, for the first try, for a repetition after a lost answer and after a restart. Its
/// steps are `WriteRun.create`, which finds what an earlier try made, and `WriteRun.effect`, which looks for what an
/// earlier try did before it does it again. Guards on the record's state stand before the first effect, and are passed
/// over where an earlier try sent it (`WriteRun.hasSent`): what they would see is perhaps its own work.
protocol WalkedWrite: WriteService {
    func walk(_ run: WriteRun) async throws(ServiceStop) -> WriteResult
}

extension WalkedWrite {
    func perform(_ run: WriteRun) async throws(ServiceStop) -> WriteResult {
        do throws(ServiceStop) {
            return try await walk(run)
        } catch {
            throw run.concluding(error)
        }
    }

    func resume(_ run: WriteRun, after steps: [OperationStep]) async throws(ServiceStop) -> WriteResult {
        run.recall(steps)
        do throws(ServiceStop) {
            return try await walk(run)
        } catch {
            throw run.concluding(error)
        }
    }
}

/// One call that changes something, and under which name the journal keeps it.
struct Effect: Sendable {
    /// Tells the steps of one write apart, `validate`.
    let name: String
    /// For people, `scrapping 2 of SCREW-M6`.
    let text: String
    let call: OdooCall
    /// It does nothing where it was done before, also when an earlier one is late: it may be sent again at once.
    var repeats = false
    /// More than the name, for people who look into the journal.
    var intent = JSONObject()
    /// Records that are about to be changed.
    var records: [String] = []
    /// What must be so afterwards; else the addon, where it does it, takes everything back.
    var after: [AddonStep] = []
}

/// What a read says about an effect.
enum Look<Found: Sendable>: Sendable {
    case done(Found)
    case notDone
    /// Neither the effect nor its absence explains what is there: somebody else was at it.
    case conflict(String)
}
