import Domain
import Stores

/// Sessions, keys, people and the plan (contract S-1 to S-9).
enum AccountsDescription: RoomDescription {
    static let tag = "Accounts"

    static let endpoints: [String: Endpoint] = [
        "POST /api/auth/signup": Endpoint(
            "signUp",
            "Make a tenant, its owner and a session, where sign-up is open",
            .created(.ref("Person")),
            body: .object(["email": email, "password": password, "name": name, "tenantName": name]),
            refusals: [
                403: "Sign-up is closed, or the request comes from another site.",
                409: "An account with this e-mail exists.",
            ]
        ),
        "POST /api/auth/login": Endpoint(
            "logIn",
            "Log in; the answer sets the session's cookie",
            .ok(.ref("Person")),
            body: .object(["email": .text, "password": .text]),
            refusals: [401: "E-mail or password is wrong.", 403: "The request comes from another site."]
        ),
        "POST /api/auth/logout": Endpoint("logOut", "End this session", .ok(.ref("Success"))),
        "POST /api/auth/password": Endpoint(
            "changePassword",
            "Change the password; all other sessions end",
            .ok(.ref("Success")),
            body: .object(["current": .text, "new": password]),
            refusals: [403: "The current password is wrong, or this is no session."]
        ),
        "GET /api/auth/me": Endpoint(
            "whoAmI",
            "Who is asking",
            .ok(
                .ref(
                    "Person",
                    with: ["auth": .word("cookie", "api_key"), "scopes": .list(of: .text)]
                )
            )
        ),
        "GET /api/api-keys": Endpoint(
            "listKeys",
            "Keys that are not revoked, newest first",
            .ok(.object(["keys": .list(of: .ref("APIKey"))]))
        ),
        "POST /api/api-keys": Endpoint(
            "createKey",
            "Make a key; it is shown in this answer only",
            .created(.ref("NewAPIKey")),
            body: newKey
        ),
        "POST /api/api-keys/:id/rotate": Endpoint(
            "rotateKey",
            "Put a new key in the place of an old one; it is shown in this answer only",
            .ok(.ref("NewAPIKey")),
            body: .object(
                [:],
                optional: [
                    "overlapSeconds": .whole(0...KeyStore.longestOverlap).orNull
                        .saying("How long the old one goes on beside it; 0 without it.")
                ]
            ),
            bodyIsOptional: true
        ),
        "DELETE /api/api-keys/:id": Endpoint("revokeKey", "Revoke a key at once", .ok(.ref("Success"))),
        "GET /api/team": Endpoint(
            "listMembers",
            "Who belongs to the tenant",
            .ok(.object(["members": .list(of: .ref("Member"))]))
        ),
        "POST /api/team": Endpoint(
            "addMember",
            "Add a person; somebody new gets a password, which is shown in this answer only",
            .created(.ref("Member", with: ["initialPassword": .text.orNull])),
            body: .object(["email": email], optional: ["name": name.orNull, "role": assignable.orNull]),
            refusals: [409: "This person is a member already."]
        ),
        "PATCH /api/team/:userId": Endpoint(
            "editMember",
            "Change a member's role, suspend one, or let one in again",
            .ok(.ref("Member")),
            body: .object(
                [:],
                optional: ["role": assignable.orNull, "status": .word("active", "suspended").orNull]
            ),
            refusals: [409: owner]
        ),
        "DELETE /api/team/:userId": Endpoint(
            "removeMember",
            "Remove a member; sessions and keys of theirs stop",
            .ok(.ref("Success")),
            refusals: [409: owner]
        ),
        "GET /api/billing": Endpoint("getBilling", "Plan, limits and what was used of them", .ok(.ref("Billing"))),
        "GET /api/tenant/brand": Endpoint(
            "getBrand",
            "The logo and the colour of the tenant's PDFs",
            .ok(.ref("Brand"))
        ),
        "PATCH /api/tenant/brand": Endpoint(
            "setBrandColor",
            "Set the colour of the tenant's PDFs, or take it back",
            .ok(.ref("Brand")),
            body: .object([
                "color": Schema.text(pattern: "^#[0-9A-Fa-f]{6}$", example: "#FFB000").orNull
                    .saying("Null is the house's own.")
            ])
        ),
        "DELETE /api/tenant/brand": Endpoint("removeBrand", "Back to the house's own look", .ok(.ref("Success"))),
        "GET /api/tenant/brand/logo": Endpoint(
            "getLogo",
            "The logo itself",
            .file("image/*", "PNG or JPEG."),
            refusals: [404: "No logo is set."]
        ),
        "PUT /api/tenant/brand/logo": Endpoint(
            "setLogo",
            "Set the logo of the tenant's PDFs: PNG or JPEG, at most 1 MiB and 4,000 pixels a side; waits up to 20 s until "
                + "it was drawn once",
            .ok(.ref("Brand")),
            body: .bytes,
            bodyType: "image/*",
            refusals: [
                400: "It is no PNG or JPEG, has too many pixels, or cannot be drawn.",
                409: "Another logo was sent, or taken back, at the same time.",
                503: "No worker has drawn it in time, or can: where one can, it is set as soon as it was drawn.",
            ]
        ),
        "DELETE /api/tenant/brand/logo": Endpoint("removeLogo", "Take the logo back", .ok(.ref("Success"))),
    ]

    private static let owner = "The owner cannot be changed or removed."

    // MARK: What is sent

    private static let email = Schema.text(
        to: 254,
        pattern: AccountFields.emailPattern,
        example: "ada@crew.example"
    )
    private static let name = Schema.text(to: 300, pattern: "\\S", example: "Ada")
    private static let password = Schema.text(from: PasswordHasher.minimumLength)
        .saying("At most \(PasswordHasher.maximumBytes) bytes.")
    private static let assignable = Schema.word("viewer", "member", "admin")

    private static let newKey = Schema.object(
        ["name": name],
        optional: [
            "mode": .word(KeyMode.allCases.map(\.rawValue)).orNull.saying("`live` without it."),
            "scopes": .list(of: scope, from: 1).orNull.saying("`read_write` without it."),
            "engagementId": .text.orNull.saying("The one engagement that the key is for."),
            "expiresAt": .moment.orNull.saying("In UTC, with `Z`."),
        ]
    )

    private static let scope = Schema.word(Scope.allCases.map(\.rawValue))

    // MARK: What is answered

    static let schemas: [String: Schema] = [
        "Person": .object([
            "user": .object(["id": .text, "email": .text, "name": .text]),
            "tenant": .object(["id": .text, "name": .text]).orNull.saying("Null for a contributor."),
            "role": .word(Role.allCases.map(\.rawValue)).orNull.saying("Null for an API key and a contributor."),
        ]),
        "APIKey": .object([
            "id": .text, "name": .text, "prefix": .text, "mode": .word(KeyMode.allCases.map(\.rawValue)),
            "scopes": .list(of: scope), "engagementId": .text.orNull, "lastUsedAt": .moment.orNull,
            "expiresAt": .moment.orNull, "createdAt": .moment,
        ]),
        "NewAPIKey": .ref("APIKey", with: ["key": .text]),
        "Member": .object([
            "id": .text, "email": .text.orNull, "name": .text, "role": .word(Role.allCases.map(\.rawValue)),
            "status": .text, "lastLoginAt": .moment.orNull, "invitedBy": .text.orNull, "createdAt": .moment,
        ]),
        "Brand": .object([
            "color": .text.orNull,
            "printedColor": .text.orNull.saying("Darkened until text of it can be read on white."),
            "logo": .object(["type": .word("image/png", "image/jpeg"), "bytes": .count]).orNull,
        ]),
        "Billing": .object([
            "plan": .word(Plan.allCases.map(\.rawValue)).orNull, "status": .text, "currentPeriodEnd": .moment.orNull,
            "cancelAtPeriodEnd": .flag,
            "limits": .object([
                "engagementsPerMonth": .count.orNull.saying("Null is without limit."), "maxFileBytes": .count,
                "maxTotalBytes": .count,
            ]),
            "usage": .object(["engagements": .count, "storageBytes": .count]),
        ]),
    ]
}
