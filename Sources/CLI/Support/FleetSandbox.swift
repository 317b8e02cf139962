import Documents
import Logging
import Queue

extension Settings {
    /// Whether uploads are read only where all walls stand around the programs that read them.
    ///
    /// - Throws: ``SettingError``
    func requiresSandbox() throws -> Bool {
        switch self["GC_SANDBOX"] {
        case nil, "prefer"?: return false
        case "require"?: return true
        case let text?:
            throw SettingError("GC_SANDBOX", "is \"\(text)\"", "It must be prefer or require.")
        }
    }
}

extension Fleet {
    /// Says once, before a worker begins, which walls are missing around the programs that read uploads.
    ///
    /// - Throws: ``SettingError`` where one is missing and `GC_SANDBOX` requires all of them.
    func checkSandbox() async throws {
        guard let gap = await ToolWalls.standing().gap else { return }
        guard try !settings.requiresSandbox() else {
            throw SettingError("GC_SANDBOX", "is require, and on this machine \(gap)", ToolWalls.remedy)
        }
        logger.warning(
            "a wall around the programs that read uploads is missing",
            metadata: ["danger": "\(gap)", "remedy": "\(ToolWalls.remedy)"]
        )
    }
}

extension Finding {
    /// What the doctor says of the walls on this machine, which is a worker's only where it runs beside one.
    ///
    /// - Parameter isRequired: as `GC_SANDBOX` says.
    static func sandbox(_ walls: ToolWalls, isRequired: Bool) -> Finding {
        guard let gap = walls.gap else {
            return .ok("sandbox", "programs that read uploads are walled in on this machine")
        }
        let what = "the sandbox for programs that read uploads is not whole on this machine"
        if isRequired {
            return .bad("sandbox", what, why: "GC_SANDBOX=require: no worker starts", remedy: ToolWalls.remedy)
        }
        return .warn("sandbox", what, why: gap, remedy: ToolWalls.remedy)
    }
}
