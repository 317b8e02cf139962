import ArgumentParser
import Domain
import FoundationEssentials
import Stores

struct BrandCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "brand",
        abstract: "Show or set a tenant's logo and colour, which its PDFs have."
    )

    @Option(help: "The tenant's id.")
    var tenant: String

    @Option(help: "#RRGGBB. On paper it is darkened where it could not be read.")
    var color: String?

    @Option(help: "A file: PNG or JPEG, at most 1 MiB and 4,000 pixels a side.")
    var logo: String?

    @Flag(help: "Back to the house's colour.")
    var noColor = false

    @Flag(help: "Without a logo.")
    var noLogo = false

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard color == nil || !noColor, logo == nil || !noLogo else {
            throw ValidationError("Give a colour or --no-color, a logo or --no-logo: not both.")
        }
    }

    func run() async throws {
        try await withFleet { fleet in
            guard try await fleet.stores.accounts.exists(ID(tenant)) else {
                throw CommandEnd.missing("There is no tenant \"\(tenant)\".")
            }
            var brand = try await fleet.stores.brands.brand(of: ID(tenant))
            if try change(&brand) {
                if let logo = brand.logo { try await Self.tryOut(logo, fleet.documents()) }
                guard try await fleet.stores.brands.set(brand, for: ID(tenant)) else {
                    throw CommandEnd.missing("There is no tenant \"\(tenant)\".")
                }
            }
            show(brand)
        }
    }

    /// - Returns: whether anything was asked for.
    private func change(_ brand: inout Brand) throws -> Bool {
        do {
            if let color { brand.color = try BrandColor(color) }
            if let logo { brand.logo = try BrandLogo(checking: Self.read(logo)) }
        } catch let fault as BrandFault {
            throw CommandEnd(.usage, fault.description)
        }
        if noColor { brand.color = nil }
        if noLogo { brand.logo = nil }
        return color != nil || logo != nil || noColor || noLogo
    }

    private static func read(_ path: String) throws -> [UInt8] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw CommandEnd(.usage, "There is no file \"\(path)\" that can be read.")
        }
        return Array(data)
    }

    private static func tryOut(_ logo: BrandLogo, _ documents: any DocumentRenderer) async throws {
        do {
            _ = try await documents.pdf(of: .trial(of: logo))
        } catch RenderFault.failed {
            throw CommandEnd(.usage, BrandFault.damaged.description)
        } catch let fault as RenderFault {
            throw CommandEnd(.failed, "The logo cannot be tried out here. \(fault.description)")
        }
    }

    private func show(_ brand: Brand) {
        let logo = brand.logo.map { "\($0.kind.rawValue), \($0.bytes.count) bytes" }
        let fields: JSON = [
            "tenant_id": .string(tenant), "color": brand.color.map { .string($0.hex) } ?? .null,
            "printed_color": brand.color.map { .string($0.readable.hex) } ?? .null,
            "logo": logo.map(JSON.string) ?? .null,
        ]
        guard !json else { return Terminal.say(fields.text) }
        let printed = brand.color.map { $0 == $0.readable ? $0.hex : "\($0.hex), text in \($0.readable.hex)" }
        Terminal.say("color  \(printed ?? "the house's")\nlogo   \(logo ?? "none")")
    }
}
