import Domain
import Testing

@testable import Stores

/// The examples that Amazon publishes: S3 API Reference, “Signature Calculations for the Authorization Header” and
/// “Authenticating Requests: Using Query Parameters”.
@Suite("AWS Signature Version 4")
struct S3SignatureTests {
    private let signature = S3Signature(
        accessKey: "AKIAIOSFODNN7EXAMPLE",
        secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        region: "us-east-1"
    )
    /// 2013-05-24T00:00:00Z
    private let moment = Timestamp(microseconds: 1_369_353_600_000_000)
    private let host = "examplebucket.s3.amazonaws.com"
    private let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    private func sign(
        _ method: String,
        _ path: String,
        query: [(name: String, value: String)] = [],
        headers: [(name: String, value: String)] = [],
        payload: String? = nil
    ) -> String {
        let all =
            headers + [
                ("host", host), ("x-amz-content-sha256", payload ?? empty), ("x-amz-date", "20130524T000000Z"),
            ]
        let request = S3Signature.Request(
            method: method,
            path: path.percentEncoded(keeping: "/"),
            query: query,
            headers: all
        )
        return signature.authorization(request, payload: payload ?? empty, at: moment)
    }

    @Test("GET with a range")
    func get() {
        let header = sign("GET", "/test.txt", headers: [("range", "bytes=0-9")])
        #expect(
            header == "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
                + "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
                + "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        )
    }

    @Test("PUT of an object with a dollar sign in its name")
    func put() {
        let header = sign(
            "PUT",
            "/test$file.text",
            headers: [("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")],
            payload: S3Signature.hash("Welcome to Amazon S3.".utf8)
        )
        #expect(header.hasSuffix("98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"))
    }

    @Test("GET of a bucket's lifecycle, and of its list")
    func queries() {
        let lifecycle = sign("GET", "/", query: [("lifecycle", "")])
        #expect(lifecycle.hasSuffix("fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"))
        let list = sign("GET", "/", query: [("prefix", "J"), ("max-keys", "2")])
        #expect(list.hasSuffix("34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"))
    }

    @Test("A location is a bucket, a server and a region")
    func location() throws {
        let own = try #require(S3Location("s3://files?endpoint=http://127.0.0.1:8333&region=eu-central-1"))
        #expect(own.bucket == "files" && own.authority == "127.0.0.1:8333" && own.region == "eu-central-1")
        let amazon = try #require(S3Location("s3://files?region=eu-west-1"))
        #expect(amazon.scheme == "https" && amazon.authority == "s3.eu-west-1.amazonaws.com")
        for bad in ["s3://", "http://files", "s3://a?endpoint=ftp://x", "s3://a?endpoint=nonsense", "s3://a/b"] {
            #expect(S3Location(bad) == nil, "\(bad)")
        }
    }
}
