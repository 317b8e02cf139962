import Domain
import FoundationEssentials
import HTTPTypes
import Jobs
import NIOCore
import Queue
import Stores

/// `/api/tenant/brand`: the logo and the colour of a tenant's PDFs (contract E-56), set by admins with a session. The rules
/// are those of `groundcrew admin tenant brand`.
struct BrandRoutes: Routes {
    let brands: BrandStore
    let answer: AwaitedAnswer

    /// How long a new logo waits for a worker to draw it.
    private static let patience = Duration.seconds(20)

    init(stores: Stores, queue: JobQueue) {
        brands = stores.brands
        answer = AwaitedAnswer(queue: queue, patience: Self.patience)
    }

    var table: [Route] {
        [
            .get("/api/tenant/brand", access: .admin, use: show),
            .patch("/api/tenant/brand", access: .admin, use: setColor),
            .delete("/api/tenant/brand", access: .admin, use: remove),
            .get("/api/tenant/brand/logo", access: .admin, use: logo),
            .put("/api/tenant/brand/logo", access: .admin, use: setLogo),
            .delete("/api/tenant/brand/logo", access: .admin, use: removeLogo),
        ]
    }

    @Sendable
    func show(_ request: APIRequest) async throws -> APIResponse {
        .ok(try await brands.brand(of: request.caller.tenant).json)
    }

    @Sendable
    func setColor(_ request: APIRequest) async throws -> APIResponse {
        let color = try Self.color(await request.object()["color"])
        try await brands.set(color, for: request.caller.tenant)
        return try await show(request)
    }

    @Sendable
    func remove(_ request: APIRequest) async throws -> APIResponse {
        try await brands.remove(of: request.caller.tenant)
        return .ok(["success": true])
    }

    private static func color(_ value: JSON?) throws -> BrandColor? {
        switch value {
        case .null?: return nil
        case .string(let text)?:
            do {
                return try BrandColor(text)
            } catch {
                throw APIError.invalid(error.description)
            }
        default: throw APIError.invalid("color is required: #RRGGBB, or null for the house's own")
        }
    }

    // MARK: The logo

    @Sendable
    func logo(_ request: APIRequest) async throws -> APIResponse {
        guard let logo = try await brands.brand(of: request.caller.tenant).logo else {
            throw APIError.notFound("No logo is set")
        }
        return APIResponse(.ok, file: logo.bytes, type: logo.mediaType)
    }

    /// The body is the picture, at most ``BrandLogo/sizeLimit`` bytes, which is also the most that any body may have.
    @Sendable
    func setLogo(_ request: APIRequest) async throws -> APIResponse {
        let tenant = try request.caller.tenant
        let bytes = Array(try await request.bytes().readableBytesView)
        let checked: BrandLogo
        do {
            checked = try BrandLogo(checking: bytes)
        } catch {
            throw APIError.invalid(error.description)
        }
        let draft = try await brands.stage(checked, for: tenant)
        try await draw(TryLogo(tenant: tenant, draft: draft), for: tenant)
        return try await show(request)
    }

    @Sendable
    func removeLogo(_ request: APIRequest) async throws -> APIResponse {
        try await brands.removeLogo(of: request.caller.tenant)
        return .ok(["success": true])
    }

    /// - Throws: 400 where the logo cannot be drawn, 409 where another one came after it, 503 where no worker has drawn it
    ///   in time; then it is set as soon as one has.
    private func draw(_ trial: TryLogo, for tenant: Tenant.ID) async throws {
        switch try await answer.end(of: trial, tenant: tenant) {
        case .done(let result)?:
            let drawn = try result.map { try JSON(parsing: Data($0.utf8)) }?["drawn"]
            guard drawn == true else { throw APIError.invalid(BrandFault.damaged.description) }
        case .cancelled?: throw APIError.conflict("Another logo was sent, or taken back, at the same time")
        case .dead(.refused, _)?, nil: throw APIError.unavailable
        case .dead?: throw APIError.internal
        }
    }
}

extension BrandLogo {
    fileprivate var mediaType: String { "image/\(kind.rawValue)" }
}

extension Brand {
    fileprivate var json: JSON {
        [
            "color": .optional(color?.hex), "printedColor": .optional(color?.readable.hex),
            "logo": logo.map { ["type": .string($0.mediaType), "bytes": .integer($0.bytes.count)] } ?? .null,
        ]
    }
}
