import Stores

/// Where files lie, from the settings.
extension Fleet {
    /// - Throws: ``SettingError``
    func blobs() throws -> any BlobStore {
        guard let url = settings["GC_STORAGE_URL"] else { return AbsentBlobs() }
        if url.hasPrefix("file:///") { return try folder(String(url.dropFirst("file://".count))) }
        guard let location = S3Location(url) else {
            throw SettingError(
                "GC_STORAGE_URL",
                "is \"\(url)\"",
                "It must be file:///absolute/folder or s3://bucket?endpoint=https://host&region=name."
            )
        }
        return S3Blobs(location, accessKey: try key("AWS_ACCESS_KEY_ID"), secretKey: try key("AWS_SECRET_ACCESS_KEY"))
    }

    private func folder(_ path: String) throws -> LocalBlobs {
        let store = LocalBlobs(folder: path)
        do {
            try store.prepare()
        } catch {
            throw SettingError(
                "GC_STORAGE_URL",
                "leads to \(path), which this process cannot use: \(error)",
                "Make the folder writable for it, and the same one for api and worker."
            )
        }
        return store
    }

    private func key(_ name: String) throws -> String {
        guard let value = settings[name] else {
            throw SettingError(
                name,
                "is not set",
                "GC_STORAGE_URL names an S3 store, which wants a key and its secret."
            )
        }
        return value
    }
}
