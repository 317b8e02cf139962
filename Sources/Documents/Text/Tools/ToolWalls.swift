import Subprocess
import Synchronization

/// What stands between a tool that reads a tenant's file and this machine. Containers often forbid namespaces; then fewer
/// walls stand.
package enum ToolWalls: Int, Sendable, CaseIterable {
    /// bubblewrap: nothing of the file system but /usr and the work folder, no network, no other process.
    case full
    /// A network of its own, without a way out.
    case network
    /// The limits on time, memory, files and output alone.
    case limits

    /// What a tool could do here that it should not, for an operator; nil where all walls stand.
    package var gap: String? {
        switch self {
        case .full: nil
        case .network: "a program that reads uploads could read every file that the worker may read"
        case .limits:
            "a program that reads uploads could read every file that the worker may read, and reach the network"
        }
    }

    /// What puts it right.
    package static let remedy =
        "Install bubblewrap and allow user, mount, process and network namespaces (docs/extraction.md, \"The walls\"); "
        + "GC_SANDBOX=require reads no uploads without them."

    /// The highest walls that this machine allows. Tried out once in the life of the process.
    package static func standing() async -> ToolWalls {
        if let known = found.withLock({ $0 }) { return known }
        let walls = await probe()
        found.withLock { $0 = walls }
        return walls
    }

    private static let found = Mutex<ToolWalls?>(nil)

    private static func probe() async -> ToolWalls {
        let result = try? await Subprocess.run(
            .name("bwrap"),
            arguments: Arguments(bubblewrap(around: "/usr") + ["true"]),
            environment: ToolBox.environment,
            output: .discarded
        )
        if result?.terminationStatus.isSuccess ?? false { return .full }
        return await Sandbox.canCutNetwork() ? .network : .limits
    }

    /// Each program becomes the next one, so that one group of processes is all there is to end. `timeout` stands outside:
    /// it ends the group also where the worker itself has died.
    ///
    /// - Parameters:
    ///   - program: absolute path of the tool.
    ///   - folder: where it works, and where `out` and `err` will be.
    ///   - seconds: by the clock, and of CPU.
    ///   - addressSpace: in bytes.
    func command(around program: String, folder: String, seconds: Int, addressSpace: Int) -> [String] {
        let clock = ["timeout", "--signal=KILL", String(seconds)]
        let limits = [
            "prlimit", "--cpu=\(seconds)", "--as=\(addressSpace)", "--fsize=\(ToolBox.outputLimit)", "--nofile=64",
            "--core=0",
        ]
        // Processes are counted per namespace; without one, those of the whole account would count.
        let processes = ["--nproc=32"]
        let shell = ["sh", "-c", "exec \"$@\" >out 2>err </dev/null", "sh"]
        switch self {
        case .full:
            let extra = program.hasPrefix("/usr/") ? [] : ["--ro-bind", program, program]
            let place = ["--bind", folder, "/work", "--chdir", "/work"]
            return clock + ["bwrap"] + Self.bubblewrap(around: "/usr") + extra + place + limits + processes + shell
        case .network:
            let cut = ["env", "-C", folder, "unshare", "--map-root-user", "--net", "setpriv", "--no-new-privs"]
            return clock + cut + limits + processes + shell
        case .limits:
            return clock + ["env", "-C", folder, "setpriv", "--no-new-privs"] + limits + shell
        }
    }

    private static func bubblewrap(around system: String) -> [String] {
        let links = ["bin", "lib", "lib64", "sbin"].flatMap { ["--symlink", "usr/\($0)", "/\($0)"] }
        return ["--unshare-all", "--die-with-parent", "--ro-bind", system, "/usr"] + links
            + ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
    }
}
