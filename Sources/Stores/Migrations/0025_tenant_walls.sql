-- The second wall between tenants (docs/tenants.md). The API answers as a role that owns nothing and is shown, by
-- row-level policies, the rows of the tenant in the setting groundcrew.tenant; without that setting it is shown none.
-- Workers, scheduler and command line go on as the owner of the tables, whom policies do not hold.

DO $body$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'groundcrew_app') THEN
    BEGIN
      CREATE ROLE groundcrew_app NOLOGIN;
    EXCEPTION
      -- Roles belong to the server: another database of it was migrated at the same time.
      WHEN duplicate_object OR unique_violation THEN NULL;
      WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'the account % may not create the role groundcrew_app: let a superuser run '
          '"CREATE ROLE groundcrew_app NOLOGIN; GRANT groundcrew_app TO %", then migrate again', current_user, current_user;
    END;
  END IF;
  IF NOT pg_has_role(current_user, 'groundcrew_app', 'MEMBER') THEN
    EXECUTE format('GRANT groundcrew_app TO %I', current_user);
  END IF;
  EXECUTE format('GRANT USAGE ON SCHEMA %I TO groundcrew_app', current_schema());
  EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO groundcrew_app', current_schema());
  EXECUTE format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA %I TO groundcrew_app', current_schema());
  EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO groundcrew_app',
                 current_schema());
  EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT USAGE ON SEQUENCES TO groundcrew_app', current_schema());
END $body$;

REVOKE INSERT, UPDATE, DELETE ON schema_migrations FROM groundcrew_app;

-- Gives a wall to every table with a tenant_id that has none. A later migration that adds such a table ends with
-- SELECT raise_tenant_walls();
CREATE FUNCTION raise_tenant_walls() RETURNS void LANGUAGE plpgsql AS $body$
DECLARE
  bare record;
BEGIN
  -- In the order in which they were made: parents first, as everybody locks them.
  FOR bare IN
    SELECT c.oid::regclass AS name, CASE c.relname WHEN 'tenants' THEN 'id' ELSE 'tenant_id' END AS owner
    FROM pg_class c
    WHERE c.relkind IN ('r','p') AND c.relnamespace = current_schema()::regnamespace
      AND (c.relname = 'tenants' OR EXISTS (
        SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped))
      AND NOT EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'tenant_wall')
    ORDER BY c.oid
  LOOP
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', bare.name);
    EXECUTE format('CREATE POLICY tenant_wall ON %1$s TO groundcrew_app '
                   'USING (%2$I = current_setting(''groundcrew.tenant'', true)) '
                   'WITH CHECK (%2$I = current_setting(''groundcrew.tenant'', true))', bare.name, bare.owner);
  END LOOP;
END $body$;

SELECT raise_tenant_walls();
