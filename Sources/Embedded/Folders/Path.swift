import FoundationEssentials
import Glibc

/// Questions about paths, answered as the kernel sees them.
enum Path {
    /// The folder that `path` lies in.
    static func parent(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// `path` made absolute, with no `.`, `..` or trailing `/`, and with symbolic links resolved as far as it exists.
    static func absolute(_ path: String) -> String {
        let full = path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
        var rest = full.split(separator: "/").filter { $0 != "." }.map(String.init)
        var missing: [String] = []
        while !rest.isEmpty {
            if let real = resolved("/" + rest.joined(separator: "/")) { return joined(real, missing) }
            missing.insert(rest.removeLast(), at: 0)
        }
        return joined("/", missing)
    }

    /// The first folder above (or at) `path` that `user` may not enter, nil when the whole way is open to him.
    static func firstClosedFolder(onTheWayTo path: String, for user: ServerUser) -> String? {
        var way = ""
        for part in [""] + path.split(separator: "/").map(String.init) {
            way = way == "/" ? way + part : way + "/" + part
            if let folder = Inode(way), !folder.maySearch(user) { return way }
        }
        return nil
    }

    private static func resolved(_ path: String) -> String? {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
    }

    private static func joined(_ start: String, _ parts: [String]) -> String {
        parts.reduce(into: [] as [String]) { kept, part in
            if part == ".." { _ = kept.popLast() } else { kept.append(part) }
        }.reduce(start) { $0 == "/" ? "/" + $1 : $0 + "/" + $1 }
    }
}

/// What the kernel knows of one file, symbolic links not followed.
struct Inode: Sendable {
    let mode: UInt32
    let owner: UInt32
    let group: UInt32

    init?(_ path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        mode = status.st_mode
        owner = status.st_uid
        group = status.st_gid
    }

    var isFolder: Bool { mode & S_IFMT == S_IFDIR }

    /// Whether `user` may pass through this folder: the one class of rights that fits him decides (POSIX 4.5).
    func maySearch(_ user: ServerUser) -> Bool {
        if owner == user.userID { return mode & S_IXUSR != 0 }
        if group == user.groupID { return mode & S_IXGRP != 0 }
        return mode & S_IXOTH != 0
    }
}
