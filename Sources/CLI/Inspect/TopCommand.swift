import ArgumentParser
import Domain
import Glibc
import Queue

struct TopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "The fleet, live: queues, rates, workers, and who waits most.",
        discussion: "Drawn anew on a terminal until Ctrl-C; elsewhere one frame. --json prints one object a line."
    )

    @Flag(help: "Print one JSON object per frame.") var json = false
    @Option(help: "End after so many frames.") var frames: Int?
    @Option(help: "Between two frames: 1s, 0.2s, 5s.") var every = Span(.seconds(1))

    func validate() throws {
        if let frames, frames < 1 { throw ValidationError("--frames takes 1 or more.") }
        guard every.duration >= .milliseconds(100) else {
            throw ValidationError("--every takes 0.1s or more.")
        }
    }

    func run() async throws {
        let frames = frames ?? (Terminal.isInteractive ? .max : 1)
        try await withFleet { fleet in
            var previous: FleetFrame?
            for number in 1...frames {
                let frame = try await Inspector(fleet.queue).frame(after: previous)
                show(frame)
                previous = frame
                if number < frames { try await Task.sleep(for: every.duration) }
            }
        }
    }

    private func show(_ frame: FleetFrame) {
        if json { return Terminal.say(TopScreen.json(frame).text) }
        let lines = TopScreen.lines(frame)
        guard Terminal.isInteractive else { return Terminal.say(lines.joined(separator: "\n")) }
        // Home, each line to its end, then everything below: no flicker, and Ctrl-C leaves the last frame standing.
        let shown = lines.prefix(max(5, Self.height - 1)).map { $0 + "\u{1B}[K" }
        Terminal.write("\u{1B}[H" + shown.joined(separator: "\n") + "\n\u{1B}[J", to: STDOUT_FILENO)
    }

    private static var height: Int {
        var size = winsize()
        return ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_row > 0 ? Int(size.ws_row) : 40
    }
}
