import Bytes
import Fetch
import Testing

@testable import Delivery
@testable import Webhooks

private let t0 = WallInstant(seconds: 1_795_500_000)

/// Three months of one endpoint: outages, throttling, redirects, poison, disables, redrives, rotated secrets and crashes.
@Suite struct SimulationTests {
    struct Random {
        var state: UInt64
        mutating func next(_ bound: UInt64) -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            return RetrySchedule.mixed(state) % bound
        }
    }

    /// What a crash leaves.
    struct Disk {
        var position: Int64 = 0
        var messages: [Int64: WebhookMessage] = [:]
        var dead: [Int64: WebhookMessage] = [:]
        var status = EndpointStatus.active
        var failingSince: WallInstant?

        mutating func take(_ changes: EndpointChanges) {
            if let position = changes.position { self.position = position }
            for (number, message) in changes.kept { messages[number] = message }
            for number in changes.removed { messages[number] = nil }
            for letter in changes.dead { dead[letter.number] = letter }
            if let status = changes.status { self.status = status }
            if let since = changes.failingSince { failingSince = since }
        }
    }

    /// The secrets of both sides. The receiver goes over to a new one at some time of the overlap, and knows one only.
    struct Secrets {
        var sender: [DeliveryTarget.Secret] = []
        var receiver: [(from: WallInstant, secret: WebhookSecret)] = []
        private var signer = WebhookSigner([])
        private var signerUntil = t0

        /// Shared secrets and key pairs in turn, as `webhook rotate` makes them.
        mutating func rotate(_ random: inout Random, _ now: WallInstant) {
            let bytes = (0..<32).map { _ in UInt8(random.next(256)) }
            let secret =
                sender.count % 2 == 0 ? WebhookSecret.symmetric(random: bytes) : .privateKey(random: bytes)
            guard let secret else { return }
            let overlap = Nanoseconds.minutes(Int64(60 + random.next(2_880)))
            for i in sender.indices where sender[i].until == nil { sender[i].until = now + overlap }
            sender.insert((secret, nil), at: 0)
            let early = receiver.isEmpty ? 0 : Int64(5 + random.next(UInt64(overlap / 60_000_000_000 - 10)))
            receiver.append((now + .minutes(early), secret.forReceiver))
            signerUntil = now
        }

        mutating func sign(_ number: Int64, _ now: WallInstant) -> String {
            if now >= signerUntil {
                let target = DeliveryTarget(
                    subscriber: SimulationTests.subscriber, secrets: sender, fetch: FetchConfiguration(),
                    grants: { _, _ in [] })
                signer = WebhookSigner(target.secrets(at: now))
                signerUntil = sender.compactMap(\.until).filter { $0 > now }.min() ?? now + .hours(24 * 365)
            }
            return signer.field(id: "e\(number)", timestamp: String(now.seconds), body: [])
        }

        func isGenuine(_ number: Int64, _ signature: String, signed: WallInstant, now: WallInstant) -> Bool {
            guard let known = receiver.last(where: { $0.from <= now })?.secret else { return false }
            do throws(WebhookSignature.Refusal) {
                try WebhookSignature.verify(
                    id: "e\(number)", timestamp: String(signed.seconds), signature: signature, body: [],
                    secrets: [known], now: now)
                return true
            } catch { return false }
        }

        /// Whether a secret comes or goes about now.
        func isTurning(_ now: WallInstant) -> Bool {
            (sender.compactMap(\.until) + receiver.map(\.from)).contains { abs($0 - now) < .hours(1) }
        }
    }

    static let subscriber = Subscriber(
        name: "partner", url: "https://partner.example/", issuer: "https://id", subject: "partner", events: [],
        secrets: [])

    struct Result: Equatable {
        var trace: UInt64 = 0
        var delivered: Set<Int64> = []
        var attempts = 0
        var disables = 0
        var redrives = 0
        var crashes = 0
        var dead: Set<Int64> = []
        var outOfOrder = 0
        var rotations = 0
        var verified = 0
        var refused = 0
    }

    static let days = 92
    static let subjects = 40

    static func run(_ seed: UInt64, _ ordering: EndpointSettings.Ordering) -> Result {
        var random = Random(state: seed)
        var settings = EndpointSettings()
        settings.ordering = ordering
        settings.salt = seed
        var disk = Disk()
        var queue = EndpointQueue(settings, position: 0, now: t0)
        var result = Result()
        var now = t0
        let end = t0 + .hours(24 * Int64(days))
        var log: [(number: Int64, subject: String, wanted: Bool)] = []
        var mood: (until: WallInstant, kind: UInt64) = (t0, 0)
        var last: [String: Int64] = [:]
        var flight: [(done: WallInstant, message: WebhookMessage, signed: WallInstant, signature: String?)] = []
        var secrets = Secrets()
        secrets.rotate(&random, now)
        var poison: Set<Int64> = []
        func note(_ value: UInt64) { result.trace = RetrySchedule.mixed(result.trace ^ value) }

        while now < end || queue.outstanding > 0 || queue.taken < Int64(log.count) {
            if now > end + .hours(24 * 40) { break }
            // One after the other, a poisoned event costs three days: then there must be few.
            if now < end, random.next(ordering == .strict ? 30 : 3) == 0 {
                let number = Int64(log.count + 1)
                log.append((number, "order/\(random.next(UInt64(subjects)))", random.next(4) != 0))
                if random.next(ordering == .strict ? 150 : 300) == 0 { poison.insert(number) }
            }
            if now >= mood.until {
                // Mostly well, at times failing for minutes, hours or days.
                let kind = now < end ? random.next(10) : 0
                mood = (now + .minutes(Int64(random.next(kind == 9 ? 9_000 : 600)) + 1), kind < 6 ? 0 : kind)
            }
            // What is done in flight by now.
            for (done, message, signed, signature) in flight where done <= now {
                if let signature {
                    result.verified += 1
                    if !secrets.isGenuine(message.number, signature, signed: signed, now: done) { result.refused += 1 }
                }
                let outcome: DeliveryOutcome
                switch mood.kind {
                case _ where poison.contains(message.number) && message.redrives == 0:
                    outcome = .answered(status: 422, retryAfter: nil)
                case 6: outcome = .answered(status: 503, retryAfter: .seconds(Int64(random.next(600))))
                case 7: outcome = .answered(status: 302, retryAfter: nil)
                case 8 where random.next(50) == 0: outcome = .answered(status: 410, retryAfter: nil)
                case 8, 9: outcome = .failed("no answer in time")
                default: outcome = .answered(status: 204, retryAfter: nil)
                }
                result.attempts += 1
                note(UInt64(bitPattern: message.number) &+ UInt64(message.attempts))
                if outcome.meaning == .delivered {
                    let subject = log[Int(message.number - 1)].subject
                    if result.delivered.insert(message.number).inserted, message.redrives == 0 {
                        if message.number < last[subject] ?? 0 { result.outOfOrder += 1 }
                        last[subject] = max(last[subject] ?? 0, message.number)
                    }
                }
                queue.finish(message.number, outcome, now: now)
            }
            flight.removeAll { $0.done <= now }
            while queue.capacity > 0, queue.taken < Int64(log.count) {
                let event = log[Int(queue.taken)]
                queue.offer(event.number, subject: event.subject, isWanted: event.wanted, now: now)
            }
            while let message = queue.start(now) {
                // A signature costs more than all the rest: every eighth, and all of them while a secret comes or goes.
                let mustSign = message.number % 8 == 0 || secrets.isTurning(now)
                flight.append(
                    (
                        now + .seconds(Int64(random.next(20))), message, now,
                        mustSign ? secrets.sign(message.number, now) : nil
                    ))
            }
            let changes = queue.takeChanges()
            if case .disabled = changes.status { result.disables += 1 }
            disk.take(changes)
            if now < end, random.next(2_000) == 0 {
                secrets.rotate(&random, now)
                result.rotations += 1
            }
            // Somebody looks at disabled endpoints and dead letters now and then.
            if random.next(900) == 0 || now > end {
                if queue.status != .active, mood.kind == 0 { queue.enable(now) }
                for letter in disk.dead.values.sorted(by: { $0.number < $1.number })
                where queue.redrive(letter, now: now) {
                    disk.dead[letter.number] = nil
                    result.redrives += 1
                }
                disk.take(queue.takeChanges())
            }
            if random.next(5_000) == 0 {
                result.crashes += 1
                flight = []
                queue = EndpointQueue(
                    settings, position: disk.position, messages: Array(disk.messages.values),
                    settled: Set(disk.dead.keys.filter { $0 > disk.position }), status: disk.status,
                    failingSince: disk.failingSince, now: now)
            }
            now = now + .minutes(5)
        }
        let wanted = Set(log.filter(\.wanted).map(\.number))
        result.dead = wanted.subtracting(result.delivered)
        #expect(result.delivered.isSubset(of: wanted))
        #expect(
            Set(disk.dead.keys).isSuperset(of: result.dead),
            "an event is lost: \(result.dead.subtracting(disk.dead.keys))")
        #expect(disk.position == Int64(log.count) && disk.messages.isEmpty)
        return result
    }

    @Test(arguments: EndpointSettings.Ordering.allCases, [1, 2, 3] as [UInt64])
    func threeMonthsLoseNothingAndKeepTheOrder(_ ordering: EndpointSettings.Ordering, _ seed: UInt64) {
        let result = Self.run(seed, ordering)
        #expect(result.crashes > 0 && result.redrives > 0 && result.disables > 0 && result.rotations > 2)
        // Whichever of the two secrets the receiver knew, it could verify.
        #expect(result.verified > (ordering == .strict ? 100 : 1_000) && result.refused == 0)
        #expect(result.delivered.count > (ordering == .strict ? 400 : 5_000))
        // Given up for good only after every redrive.
        #expect(result.dead.isEmpty, "\(result.dead)")
        if ordering != .none { #expect(result.outOfOrder == 0) }
    }

    @Test func theSameSeedGivesTheSameThreeMonths() {
        #expect(Self.run(7, .aggregate) == Self.run(7, .aggregate))
        #expect(Self.run(7, .aggregate).trace != Self.run(8, .aggregate).trace)
    }
}
