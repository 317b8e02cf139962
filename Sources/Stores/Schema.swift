package import PostgresClient

/// The database's schema, oldest file first. Add a file, add its line; never change one that has been released.
package enum Schema {
    package static let migrations: [Migration] = [
        migration("0001_queue", PackageResources._001_queue_sql),
        migration("0002_accounts", PackageResources._002_accounts_sql),
        migration("0003_engagements", PackageResources._003_engagements_sql),
        migration("0004_operations", PackageResources._004_operations_sql),
        migration("0005_workflow", PackageResources._005_workflow_sql),
        migration("0006_members", PackageResources._006_members_sql),
        migration("0007_idempotency", PackageResources._007_idempotency_sql),
        migration("0008_webhooks", PackageResources._008_webhooks_sql),
        migration("0009_limits", PackageResources._009_limits_sql),
        migration("0011_reviews", PackageResources._011_reviews_sql),
        migration("0012_exports", PackageResources._012_exports_sql),
        migration("0013_attachments", PackageResources._013_attachments_sql),
        migration("0014_context", PackageResources._014_context_sql),
        migration("0015_collection", PackageResources._015_collection_sql),
        migration("0016_stripe", PackageResources._016_stripe_sql),
        migration("0017_quality", PackageResources._017_quality_sql),
        migration("0018_emails", PackageResources._018_emails_sql),
        migration("0019_backpressure", PackageResources._019_backpressure_sql),
        migration("0020_reruns", PackageResources._020_reruns_sql),
        migration("0021_providers", PackageResources._021_providers_sql),
        migration("0022_key_limits", PackageResources._022_key_limits_sql),
        // Only for databases that have not had 0023 yet.
        migration("0022b_stripe_event_objects", PackageResources._022b_stripe_event_objects_sql),
        migration("0023_stripe_modes", PackageResources._023_stripe_modes_sql),
        migration("0024_fetches", PackageResources._024_fetches_sql),
        // Sees to the tables of all before it; a later one with a tenant's table calls raise_tenant_walls() itself.
        migration("0025_tenant_walls", PackageResources._025_tenant_walls_sql),
        migration("0026_delegation", PackageResources._026_delegation_sql),
        migration("0027_rates", PackageResources._027_rates_sql),
        migration("0028_brand_drafts", PackageResources._028_brand_drafts_sql),
        migration("0029_plan_caps", PackageResources._029_plan_caps_sql),
        migration("0030_context_pending", PackageResources._030_context_pending_sql),
    ]

    private static func migration(_ name: String, _ bytes: [UInt8]) -> Migration {
        Migration(name: name, sql: String(decoding: bytes, as: UTF8.self))
    }
}
