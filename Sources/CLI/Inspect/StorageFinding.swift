import Queue
import Stores

/// What the doctor says of the folder that uploads go to.
extension Fleet {
    /// Nothing where files lie elsewhere, or there are none.
    ///
    /// - Throws: ``SettingError``
    func storageFindings() throws -> [Finding] {
        guard let store = try blobs() as? LocalBlobs else { return [] }
        return [Self.finding(Result { () throws(BlobError) in try store.room() })]
    }

    private static func finding(_ room: Result<LocalBlobRoom, BlobError>) -> Finding {
        switch room {
        case .failure(let error):
            return .bad(
                "storage.disk",
                "the folder of GC_STORAGE_URL cannot be looked at: \(error)",
                why: "uploads are answered with 503",
                remedy: "Mount the volume, or make the folder readable for this process."
            )
        case .success(let room):
            let what = "\(room.free >> 20) MiB of \(room.total >> 20) are free where uploads lie"
            let remedy = "Make the volume larger, or let tenants delete files; what is stored stays readable."
            if room.isFull {
                return .bad("storage.disk", what, why: "uploads are answered with 503", remedy: remedy)
            }
            if room.isLow {
                return .warn("storage.disk", what, why: "uploads are answered with 503 when it is full", remedy: remedy)
            }
            return .ok("storage.disk", what)
        }
    }
}
