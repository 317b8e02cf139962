package import Domain
import FoundationEssentials
package import Logging
import Subprocess

/// PDF by Typst (decision O-5), in a process of its own that can reach nothing but one temporary folder.
package struct TypstRenderer: DocumentRenderer {
    private let python: String
    private let logger: Logger

    /// Bytes of a document at most.
    package static let sizeLimit = 30_000_000

    /// - Parameter python: path of the python3 of a virtual environment that has the package `typst`, absolute or below
    ///   the working folder.
    package init(python: String, logger: Logger) {
        self.python = python
        self.logger = logger
    }

    package func pdf(of report: ClientReport) async throws -> [UInt8] {
        guard FileManager.default.isExecutableFile(atPath: python) else { throw RenderFault.notInstalled(python) }
        let folder = try folder(for: report)
        defer { remove(folder) }
        return try await render(folder, date: report.date)
    }

    private func render(_ folder: String, date: Timestamp) async throws -> [UInt8] {
        let fence = Sandbox.command(network: await Sandbox.canCutNetwork())
        let script = [absolute(python), "-I", "\(folder)/render.py", folder, String(date.microseconds / 1_000_000)]
        let result = try await Subprocess.run(
            .name("env"),
            arguments: Arguments(["-C", folder] + fence + script),
            environment: .custom(["PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C.UTF-8", "TZ": "UTC"]),
            output: .bytes(limit: Self.sizeLimit),
            error: .string(limit: 65_536)
        )
        if case .exited(3) = result.terminationStatus {
            throw RenderFault.notInstalled("the package typst of \(python)")
        }
        let bytes = Array(result.standardOutput)
        guard result.terminationStatus.isSuccess, bytes.starts(with: "%PDF-".utf8) else {
            logger.error("Typst failed", metadata: ["output": "\(Self.tail(of: result.standardError))"])
            throw RenderFault.failed("\(result.terminationStatus)")
        }
        return bytes
    }

    // MARK: The folder

    private func folder(for report: ClientReport) throws -> String {
        let folder = FileManager.default.temporaryDirectory.appending(path: "groundcrew-pdf-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: folder,
            withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o700]
        )
        do {
            try Data(PackageResources.report_typ).write(to: folder.appending(path: "report.typ"))
            try Data(PackageResources.render_py).write(to: folder.appending(path: "render.py"))
            try Data(ReportData.json(of: report).text.utf8).write(to: folder.appending(path: "report.json"))
            if let logo = report.brand.logo {
                try Data(logo.bytes).write(to: folder.appending(path: ReportData.filename(of: logo)))
            }
        } catch {
            remove(folder.path)
            throw error
        }
        return folder.path
    }

    private func remove(_ folder: String) {
        do {
            try FileManager.default.removeItem(atPath: folder)
        } catch {
            logger.warning("a temporary folder stays behind", metadata: ["folder": "\(folder)", "error": "\(error)"])
        }
    }

    private func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }

    /// The end of what Typst said, which has the reason.
    private static func tail(of output: String) -> Substring { output.suffix(1000) }
}
