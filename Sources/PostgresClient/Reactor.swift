private import CLibPQ
private import Glibc
private import Synchronization

/// One thread that waits on all sockets of a pool with epoll(7), so that no libpq call ever blocks a thread of Swift's own
/// pool. Everything a connection owns is touched on this thread only.
final class Reactor: Sendable {
    /// What may happen to a socket. Called on the reactor's thread.
    protocol Handler: AnyObject, Sendable {
        func ready(readable: Bool, writable: Bool)
        /// The reactor has ended; nothing will be ready any more.
        func ended()
    }

    private struct Inbox {
        var work: [@Sendable () -> Void] = []
        var stopped = false
    }

    private let epoll: Int32
    private let wakeUp: Int32
    private let inbox = Mutex(Inbox())
    private let loop = ReactorLoop()

    init() {
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        wakeUp = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(fd: wakeUp))
        epoll_ctl(epoll, EPOLL_CTL_ADD, wakeUp, &event)
        start()
    }

    /// Runs `work` on the reactor's thread, in the order of the calls.
    ///
    /// - Returns: false where the thread has ended, and nothing runs it.
    @discardableResult
    func execute(_ work: @escaping @Sendable () -> Void) -> Bool {
        inbox.withLock { inbox in
            guard !inbox.stopped else { return false }
            inbox.work.append(work)
            // Within the lock: the thread closes the descriptor only after it has set `stopped`.
            if inbox.work.count == 1 { eventfd_write(wakeUp, 1) }
            return true
        }
    }

    /// Ends the thread once the work handed in before has run.
    func stop() {
        execute { [loop] in loop.running = false }
    }

    // The rest is for the reactor's thread.

    func add(_ socket: Int32, _ handler: any Handler) {
        loop.handlers[socket] = handler
        control(EPOLL_CTL_ADD, socket, writing: false)
    }

    func watch(_ socket: Int32, writing: Bool) {
        control(EPOLL_CTL_MOD, socket, writing: writing)
    }

    func remove(_ socket: Int32) {
        loop.handlers[socket] = nil
        control(EPOLL_CTL_DEL, socket, writing: false)
    }

    func setTimer(_ deadline: ContinuousClock.Instant, _ work: @escaping @Sendable () -> Void) -> Int {
        loop.timers.add(deadline, work)
    }

    func cancelTimer(_ timer: Int) {
        loop.timers.cancel(timer)
    }

    private func control(_ operation: Int32, _ socket: Int32, writing: Bool) {
        let interest = EPOLLIN.rawValue | EPOLLRDHUP.rawValue | (writing ? EPOLLOUT.rawValue : 0)
        var event = epoll_event(events: interest, data: epoll_data_t(fd: socket))
        epoll_ctl(epoll, operation, socket, &event)
    }

    private func start() {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self)
        let failure = pthread_create(
            &thread,
            nil,
            { context in
                if let context { Unmanaged<Reactor>.fromOpaque(context).takeRetainedValue().run() }
                return nil
            },
            context.toOpaque()
        )
        precondition(failure == 0, "pthread_create failed with \(failure): no thread for the Postgres connections")
        pthread_detach(thread)
    }

    private func run() {
        var events = [epoll_event](repeating: epoll_event(), count: 64)
        while loop.running {
            let ready = epoll_wait(epoll, &events, 64, loop.timeout())
            for event in events.prefix(Int(max(0, ready))) { dispatch(event) }
            loop.fireTimers()
            drain()
        }
        inbox.withLock { $0.stopped = true }
        drain()
        for handler in loop.handlers.values { handler.ended() }
        close(epoll)
        close(wakeUp)
    }

    private func dispatch(_ event: epoll_event) {
        guard event.data.fd != wakeUp else {
            var ignored: eventfd_t = 0
            eventfd_read(wakeUp, &ignored)
            return
        }
        let input = EPOLLIN.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue | EPOLLRDHUP.rawValue
        loop.handlers[event.data.fd]?.ready(
            readable: event.events & input != 0,
            writable: event.events & EPOLLOUT.rawValue != 0
        )
    }

    private func drain() {
        let work = inbox.withLock { inbox in
            defer { inbox.work = [] }
            return inbox.work
        }
        for item in work { item() }
    }
}

/// The reactor thread's own state.
private final class ReactorLoop: @unchecked Sendable {
    // Safe: only the reactor's thread reads or writes it.
    var running = true
    var handlers: [Int32: any Reactor.Handler] = [:]
    var timers = TimerQueue()

    /// Milliseconds until the next timer, rounded up; -1 to wait for ever.
    func timeout() -> Int32 {
        guard let next = timers.next() else { return -1 }
        let left = ContinuousClock.now.duration(to: next).components
        guard left.seconds >= 0, left.attoseconds >= 0 else { return 0 }
        return Int32(min(left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000 + 1, 60_000))
    }

    func fireTimers() {
        guard timers.next() != nil else { return }
        let now = ContinuousClock.now
        while let work = timers.takeDue(at: now) { work() }
    }
}
