import Domain
import Foundation
import Glibc
import NIOCore
import NIOHTTP1
import Stores
import TestSupport
import Testing

@testable import API

@Suite("Signed URLs of the storage")
struct StorageRoutesTests {
    /// An uploaded file and a URL for it.
    private func link(
        _ house: FileHouse,
        _ name: String = "x.html",
        _ text: String
    ) async throws -> (path: String, url: String) {
        let id = try await house.engagement()
        let made = try await house.upload(id, .file(name, text))
        let path = "/api/engagements/\(id)/attachments/\(made.json["attachment"]?["id"]?.stringValue ?? "")"
        let detail = try await house.call("GET", path)
        #expect(detail.json["attachment"] == made.json["attachment"])
        return (path, try #require(detail.json["downloadUrl"]?.stringValue))
    }

    @Test("A-15, A-16, SC-18: the URL needs no credential, gives the same bytes, and a browser saves them")
    func download() async throws {
        try await FileHouse.run { house in
            let text = String(repeating: "<b>hello</b>", count: 40_000)
            let (path, url) = try await link(house, "pä ge.html", text)
            #expect(url.hasPrefix("http://127.0.0.1:\(house.port)/storage/v1/object/sign/attachments/"))
            let got = try await house.call("GET", url, withoutKey: true)
            #expect(got.status == 200 && got.bytes == Array(text.utf8))
            let headers = got.headers
            #expect(headers.first(name: "Content-Type") == "text/html")
            #expect(headers.first(name: "Content-Disposition") == ContentDisposition.attachment("pä ge.html"))
            #expect(headers.first(name: "X-Content-Type-Options") == "nosniff")
            #expect(headers.first(name: "Content-Security-Policy") == "sandbox; default-src 'none'")
            #expect(headers.first(name: "Accept-Ranges") == "bytes")
            #expect(headers.first(name: "Content-Length") == String(text.utf8.count))
            let looked = try await house.call("HEAD", url, withoutKey: true)
            #expect(looked.status == 200 && looked.bytes.isEmpty)
            #expect(looked.headers.first(name: "Content-Length") == String(text.utf8.count))
            #expect(try await house.call("GET", path).json["downloadUrl"]?.stringValue != url)
            let until = try #require(url.split(separator: ".").dropLast().last.flatMap { Int($0) })
            #expect(abs(until - time(nil) - 3600) <= 5)
        }
    }

    @Test("A-16: ranges are answered with 206 and 416, and resumed only for the same object")
    func ranges() async throws {
        try await FileHouse.run { house in
            let (_, url) = try await link(house, "a.txt", "0123456789")
            func get(_ range: String, _ more: [String: String] = [:]) async throws -> FileHouse.Reply {
                try await house.call("GET", url, nil, more.merging(["Range": range]) { $1 }, withoutKey: true)
            }
            for (range, text, place) in [
                ("bytes=0-3", "0123", "bytes 0-3/10"), ("bytes=7-", "789", "bytes 7-9/10"),
                ("bytes=-2", "89", "bytes 8-9/10"), ("bytes=8-99", "89", "bytes 8-9/10"),
                ("bytes=-99", "0123456789", "bytes 0-9/10"),
            ] {
                let reply = try await get(range)
                #expect(reply.status == 206 && reply.bytes == Array(text.utf8), "\(range)")
                #expect(reply.headers.first(name: "Content-Range") == place, "\(range)")
            }
            for range in ["bytes=10-", "bytes=-0", "bytes=99999999999999999999-"] {
                let reply = try await get(range)
                #expect(reply.status == 416, "\(range)")
                #expect(reply.headers.first(name: "Content-Range") == "bytes */10", "\(range)")
            }
            for range in ["bytes=0-1,3-4", "lines=1-2", "bytes=5-2", "bytes=x", "bytes"] {
                #expect(try await get(range).status == 200, "\(range)")
            }
            let tag = try #require(try await get("bytes=0-1").headers.first(name: "ETag"))
            #expect(try await get("bytes=0-1", ["If-Range": tag]).status == 206)
            #expect(try await get("bytes=0-1", ["If-Range": "\"other\""]).status == 200)
        }
    }

    @Test("A-17, SC-18: expired, changed and foreign URLs are 403; those of deleted files 404")
    func refused() async throws {
        try await FileHouse.run(signedURLSeconds: 2) { house in
            let (path, url) = try await link(house, "a.txt", "hello")
            for changed in [url + "x", url.replacing("/attachments/", with: "/submissions/"), String(url.dropLast())] {
                let reply = try await house.call("GET", changed, withoutKey: true)
                #expect(reply.status == 403 && reply.error == "Invalid signature", "\(changed)")
            }
            let bare = String(url.prefix { $0 != "?" })
            #expect(try await house.call("GET", bare, withoutKey: true).status == 403)
            #expect(try await house.call("POST", url, [], withoutKey: true).status == 405)
            try await eventually(within: .seconds(10), "the URL to expire", poll: .milliseconds(200)) {
                try await house.call("GET", url, withoutKey: true).error == "Signed URL expired"
            }
            let fresh = try #require(try await house.call("GET", path).json["downloadUrl"]?.stringValue)
            #expect(try await house.call("GET", fresh, withoutKey: true).status == 200)
            #expect(try await house.call("DELETE", path).status == 200)
            let gone = try await house.call("GET", fresh, withoutKey: true)
            #expect([403, 404].contains(gone.status), "the URL may have run out meanwhile")
        }
    }

    @Test("A-17: a deleted file's URL is 404 at once, though its bytes are still there")
    func deleted() async throws {
        try await FileHouse.run { house in
            let (path, url) = try await link(house, "a.txt", "hello")
            #expect(try await house.call("DELETE", path).status == 200)
            #expect(try house.files().count == 1)
            #expect(try await house.call("GET", url, withoutKey: true).status == 404)
        }
    }

    @Test(
        "A-15 to A-17: files in an S3 store are served by us as well: ranges, headers, and a deleted file's URL is dead",
        .enabled(if: S3Server.isInstalled, "SeaweedFS is not installed: run scripts/setup.sh with a network")
    )
    func s3() async throws {
        try await FileHouse.run(blobs: try await S3Server.shared().blobs()) { house in
            let (path, url) = try await link(house, "pä ge.html", "0123456789")
            #expect(url.hasPrefix("http://127.0.0.1:\(house.port)/storage/v1/object/sign/attachments/"))
            let whole = try await house.call("GET", url, withoutKey: true)
            #expect(whole.status == 200 && whole.bytes == Array("0123456789".utf8))
            #expect(whole.headers.first(name: "Content-Type") == "text/html")
            #expect(whole.headers.first(name: "Content-Disposition") == ContentDisposition.attachment("pä ge.html"))
            #expect(whole.headers.first(name: "X-Content-Type-Options") == "nosniff")
            #expect(whole.headers.first(name: "Content-Security-Policy") == "sandbox; default-src 'none'")
            let part = try await house.call("GET", url, nil, ["Range": "bytes=2-4"], withoutKey: true)
            #expect(part.status == 206 && part.bytes == Array("234".utf8))
            #expect(part.headers.first(name: "Content-Range") == "bytes 2-4/10")
            #expect(try await house.call("HEAD", url, withoutKey: true).status == 200)
            #expect(try await house.call("GET", url + "x", withoutKey: true).status == 403)
            #expect(try await house.call("DELETE", path).status == 200)
            #expect(try await house.call("GET", url, withoutKey: true).status == 404)
        }
    }

    // MARK: Uploads

    private func uploadURL(_ house: FileHouse, _ key: String, maxBytes: Int = 1000, until: Int = 60) throws -> String {
        let grant = SignedURLs.Grant(mimeType: "video/*", maxBytes: maxBytes, tenant: house.tenant.rawValue)
        return try SignedURLs(secret: Array(0..<32)).signed(
            SignedURLs.uploadPath(of: key),
            method: "PUT",
            grant,
            until: time(nil) + until
        )
    }

    @Test("D-79, S-46: a signed PUT writes its object once, within its type and size, and is then read by a signed GET")
    func put() async throws {
        try await FileHouse.run { house in
            let key = BlobKey.make(.submissions)
            let url = try uploadURL(house, key)
            let video = ["Content-Type": "video/mp4"]
            func send(_ url: String, _ text: String, _ headers: [String: String]) async throws -> FileHouse.Reply {
                try await house.call("PUT", url, Array(text.utf8), headers, withoutKey: true)
            }
            #expect(try await send(url, "x", ["Content-Type": "text/plain"]).status == 400)
            #expect(try await send(url, "", video).status == 400)
            #expect(try await send(url, String(repeating: "x", count: 1001), video).status == 413)
            #expect(try await send(url.replacing("submissions", with: "attachments"), "x", video).status == 403)
            #expect(try await send(try uploadURL(house, key, until: -1), "x", video).status == 403)
            #expect(try await house.call("GET", url, withoutKey: true).status == 405)
            try await house.expectNothing("refused uploads")
            let done = try await send(url, "a video", video)
            #expect(done.status == 200 && done.json == ["key": .string(key)])
            #expect(try await send(url, "another", video).status == 409)
            #expect(try await house.world.stores.blobCatalogue.size(of: key) == 7)
            let read = try SignedURLs(secret: Array(0..<32)).signed(
                SignedURLs.downloadPath(of: key),
                method: "GET",
                .init(mimeType: "video/mp4"),
                until: time(nil) + 60
            )
            #expect(try await house.call("GET", read, withoutKey: true).bytes == Array("a video".utf8))
        }
    }
}
