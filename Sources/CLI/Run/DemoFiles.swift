import ArgumentParser
import AsyncHTTPClient
import Domain
import FoundationEssentials
import NIOCore
import NIOHTTP1

/// The files that go with a brief: uploaded through the API before the crew starts, so that it can quote them.
extension DemoScript {
    func upload(to path: String) async throws {
        guard !brief.attachments.isEmpty else { return }
        for file in brief.attachments {
            guard let bytes = try? Data(contentsOf: file) else {
                throw ValidationError("\(file.path) cannot be read. The brief names it under `attachments`.")
            }
            let answer = try await caller.upload(Array(bytes), as: file.lastPathComponent, to: path + "/attachments")
            let size = answer["attachment"]?["sizeBytes"]?.intValue ?? bytes.count
            Terminal.say("POST \(path)/attachments → \(file.lastPathComponent), \(size) bytes")
        }
        try await indexed(path)
    }

    /// Waits until the index covers what was uploaded, and says what it holds.
    private func indexed(_ path: String) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < deadline {
            let context = try await caller.call("GET", path + "/context")
            guard context["state"]?.stringValue == "ready" else {
                try await Task.sleep(for: .milliseconds(250))
                continue
            }
            let passages = context["index"]?["chunks"]?.intValue ?? 0
            let generation = context["generation"]?.intValue ?? 0
            Terminal.say("GET \(path)/context → \(passages) passages can be quoted (generation \(generation))")
            for file in context["manifest"]?["attachments"]?.arrayValue ?? [] {
                let name = file["filename"]?.stringValue ?? ""
                Terminal.say(
                    "  \(name): \(file["textStatus"]?.stringValue ?? ""), \(file["chunks"]?.intValue ?? 0) passages"
                )
            }
            return
        }
        Terminal.say("The index of the files is not ready after a minute; the crew starts without waiting longer.")
    }
}

extension DemoCaller {
    /// Posts one file as a browser's form would (RFC 7578).
    func upload(_ bytes: [UInt8], as filename: String, to path: String) async throws -> JSON {
        let boundary = "groundcrew-\(CUID.make())"
        var body = ByteBuffer(string: "--\(boundary)\r\nContent-Disposition: form-data; name=\"file\"; ")
        body.writeString("filename=\"\(filename)\"\r\nContent-Type: application/octet-stream\r\n\r\n")
        body.writeBytes(bytes)
        body.writeString("\r\n--\(boundary)--\r\n")
        return try await send("POST", path, body, type: "multipart/form-data; boundary=\(boundary)")
    }
}
