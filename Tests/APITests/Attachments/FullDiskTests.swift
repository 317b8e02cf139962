import Domain
import Foundation
import NIOHTTP1
import PostgresClient
import Stores
import TestSupport
import Testing

@testable import API

/// Uploads to a file system that has no room: a small one in memory, which only root can mount.
@Suite("Uploads to a full disk", .enabled(if: getuid() == 0, "only root can mount a file system"))
struct FullDiskTests {
    private func run(_ command: String...) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command
        process.standardError = nil
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }

    @Test("503 with Retry-After; no bytes, no row and no usage are left; with room again the same upload is taken")
    func full() async throws {
        try await FileHouse.run { house in
            try FileManager.default.createDirectory(atPath: house.folder, withIntermediateDirectories: true)
            guard try run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", house.folder) == 0 else {
                // A container without the right to mount: there is no small disk to be had.
                return
            }
            do {
                try await fill(house)
            } catch {
                _ = try run("umount", "--lazy", house.folder)
                throw error
            }
            _ = try run("umount", "--lazy", house.folder)
        }
    }

    private func fill(_ house: FileHouse) async throws {
        let id = try await house.engagement()
        let big = FileHouse.Part.file("big.txt", String(repeating: "0123456789abcdef\n", count: 100_000))
        for place in ["first", "again"] {
            let refused = try await house.upload(id, big)
            #expect(refused.status == 503, "\(place)")
            #expect(refused.headers.first(name: "Retry-After") == "1")
            #expect(refused.error == "The service is temporarily unavailable. Try again shortly.")
            try await house.expectNothing(place)
        }
        let small = try await house.upload(id, .file("small.txt", "It fits."))
        #expect(small.status == 201)
        // Everything that is left is taken by somebody else.
        let ballast = house.folder + "/ballast"
        _ = try run("dd", "if=/dev/zero", "of=\(ballast)", "bs=4k", "status=none")
        #expect(try house.store.room().isFull)
        let medium = FileHouse.Part.file("medium.txt", String(repeating: "0123456789abcdef\n", count: 6000))
        #expect(try await house.upload(id, medium).status == 503)
        #expect(try await house.count("SELECT count(*) FROM attachments") == 1)
        #expect(try await house.usage() == 8)
        try FileManager.default.removeItem(atPath: ballast)
        #expect(try await house.upload(id, medium).status == 201)
        #expect(try !house.store.room().isFull)
    }
}
