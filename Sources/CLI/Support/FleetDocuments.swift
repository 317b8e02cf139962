import Documents
import Domain
import FoundationEssentials

/// What makes documents in this process.
extension Fleet {
    /// Where scripts/setup.sh and the Dockerfile put Typst.
    private static let usualPlaces = [".tools/venv/bin/python3", "/opt/groundcrew/venv/bin/python3"]

    /// Always there: without Typst it says so when it is asked for a document, and everything else works.
    func documents() -> any DocumentRenderer {
        let found = Self.usualPlaces.first { FileManager.default.isExecutableFile(atPath: $0) }
        return TypstRenderer(python: settings["GC_TYPST"] ?? found ?? Self.usualPlaces[0], logger: logger)
    }

    /// Always there, too: a program that is missing is named when a file needs it.
    ///
    /// - Throws: ``SettingError``
    func texts() throws -> any TextExtractor {
        FileTextExtractor(logger: logger, requiresWalls: try settings.requiresSandbox())
    }
}
