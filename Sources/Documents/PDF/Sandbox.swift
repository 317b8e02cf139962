import Subprocess

/// What a renderer may use. Every program here becomes the next one (`exec`), so that one signal ends the whole chain.
enum Sandbox {
    /// CPU seconds, 2 GiB of address space, 32 MB per written file, 256 open files, no core; no rights gained by exec.
    ///
    /// - Parameter network: put the process into a network of its own, which has no way out.
    static func command(network: Bool) -> [String] {
        let limits = ["prlimit", "--cpu=60", "--as=2147483648", "--fsize=32000000", "--nofile=256", "--core=0"]
        return (network ? cut : []) + ["setpriv", "--no-new-privs"] + limits
    }

    private static let cut = ["unshare", "--map-root-user", "--net"]

    /// Containers often forbid namespaces. The template reads no address, so the cut is a second lock, not the only one.
    static func canCutNetwork() async -> Bool {
        let probe = try? await Subprocess.run(
            .name("unshare"),
            arguments: Arguments(Array(cut.dropFirst()) + ["true"]),
            output: .discarded
        )
        return probe?.terminationStatus.isSuccess ?? false
    }
}
