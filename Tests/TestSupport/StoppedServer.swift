import Foundation

/// A server whose processes, parent and children, do not run: it holds its connections and says nothing.
package struct StoppedServer: Sendable {
    private let parent: Int32

    /// Stops the parent first, so that it makes no more children, and then those that it has.
    package init(_ parent: Int32) {
        self.parent = parent
        kill(parent, SIGSTOP)
        for child in Self.children(of: parent) { kill(child, SIGSTOP) }
    }

    /// Lets all of them go on.
    package func go() {
        for child in Self.children(of: parent) { kill(child, SIGCONT) }
        kill(parent, SIGCONT)
    }

    /// As /proc/<id>/stat has them (proc(5)): the parent's id follows the name in brackets and the state.
    private static func children(of parent: Int32) -> [Int32] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap(Int32.init).filter { id in
            guard let text = try? String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8) else { return false }
            let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
            return fields.count > 1 && Int32(fields[1]) == parent
        }
    }
}
