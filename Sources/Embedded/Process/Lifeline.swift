/// How one server is run so that it can never outlive its parent.
///
/// A small shell process stands between us and the server. Its standard input is the lifeline: each line names a signal
/// for the server, and the end of input means that the parent is gone, `kill -9` included, because the kernel closes the
/// only write end. Then the server is stopped with `stopSignal`, and killed after `graceSeconds`.
/// The shell and the server live in a session of their own, so Ctrl-C in the terminal reaches only the application.
package struct Lifeline: Sendable {
    /// The server's program and arguments.
    package var command: [String]
    /// The graceful stop, as `kill -s` spells it: `INT` is Postgres' fast shutdown, `TERM` is Redis' orderly one.
    package var stopSignal: String
    /// How long a graceful stop may take, and how long a start waits for remains of an earlier one, in seconds.
    package var graceSeconds: Int
    /// Held by every process of the server as long as it lives: only the kernel lets go of it.
    package var lockFile: String
    /// Takes the server's output, appended.
    package var logFile: String
    /// A folder that is removed when the parent goes away without having stopped the server.
    package var doomedFolder: String?

    /// A plan only; nothing runs until its ``arguments`` are given to `sh`.
    package init(
        command: [String],
        stopSignal: String,
        graceSeconds: Int,
        lockFile: String,
        logFile: String,
        doomedFolder: String?
    ) {
        self.command = command
        self.stopSignal = stopSignal
        self.graceSeconds = graceSeconds
        self.lockFile = lockFile
        self.logFile = logFile
        self.doomedFolder = doomedFolder
    }

    /// Arguments for `sh`.
    package var arguments: [String] {
        [
            "-c", Self.script, "groundcrew-lifeline", stopSignal, String(graceSeconds), lockFile, logFile,
            doomedFolder ?? "",
        ]
            + command
    }

    /// What the shell says when the lock stayed taken.
    static let busy = "busy"

    /// The word before the server's process id.
    static let announcement = "pid "

    // Descriptor 3 is the lifeline (a background process of `sh` would read /dev/null instead of 0), 9 the lock.
    // The watcher holds the lock until it is done, so that a restart waits for it. When it was the shell ($$) that died, the
    // parent lives and may want its folder back: then the server is stopped, but nothing is removed.
    private static let script = """
        stop=$1 grace=$2 lock=$3 log=$4 doomed=$5
        shift 5
        cd / && umask 077
        exec 3<&0 </dev/null 9>>"$lock"
        flock -w "$grace" 9 || { echo \(busy); exit 75; }
        "$@" >>"$log" 2>&1 3<&- &
        server=$!
        (
            while read -r signal; do kill -s "$signal" "$server"; done
            trap '' TERM
            state=Z
            read -r number name state rest <"/proc/$$/stat"
            [ "$state" != Z ] || doomed=
            kill -s "$stop" "$server"
            tries=$((grace * 20))
            while kill -0 "$server" && [ "$tries" -gt 0 ]; do sleep 0.05; tries=$((tries - 1)); done
            kill -s KILL "$server"
            for attempt in 1 2 3 4 5; do
                [ -n "$doomed" ] || break
                rm -rf -- "$doomed" && break
                sleep 0.2
            done
        ) <&3 3<&- >/dev/null 2>&1 &
        watcher=$!
        exec 3<&-
        echo "\(announcement)$server"
        wait "$server"
        status=$?
        kill "$watcher" 2>/dev/null
        exit "$status"
        """
}
