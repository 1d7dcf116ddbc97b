/// How the mailbox of a worker's thread is closed: what waits is done first, and whoever closes it waits for that.
protocol WorkerMailbox {
    var ending: WorkerEnding { get set }
}

struct WorkerEnding {
    /// Nothing more is taken.
    var isClosed = false
    fileprivate var isGone = false
    fileprivate var waiting: [CheckedContinuation<Void, Never>] = []
}

extension Monitor where State: WorkerMailbox {
    /// Asks the thread to do what waits and end, and does not wait for it.
    func abandon() {
        withLock { $0.ending.isClosed = true }
        wake()
    }

    /// Returns when the thread has done what waits, and has ended.
    func close() async {
        await withCheckedContinuation { continuation in
            let gone = withLock { mailbox in
                mailbox.ending.isClosed = true
                if !mailbox.ending.isGone { mailbox.ending.waiting.append(continuation) }
                return mailbox.ending.isGone
            }
            if gone { continuation.resume() } else { wake() }
        }
    }

    /// The thread's last act.
    func end() {
        let waiting = withLock { mailbox in
            mailbox.ending.isGone = true
            defer { mailbox.ending.waiting = [] }
            return mailbox.ending.waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}
