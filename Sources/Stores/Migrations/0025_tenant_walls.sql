-- The second wall between tenants (docs/tenants.md). The API answers as a role that owns nothing and is shown, by
-- row-level policies, the rows of the tenant in the setting groundcrew.tenant; without that setting it is shown none.
-- Workers, scheduler and command line go on as the owner of the tables, whom policies do not hold.
--
-- An account that may not make that role (on a managed server, say) goes on with the first wall alone: the function below
-- is false then, and `groundcrew migrate` and `groundcrew doctor` say what a superuser has to run.

-- Makes the role, gives it what it needs, and puts a wall around every table with a tenant_id that has none. A later
-- migration that adds such a table ends with SELECT raise_tenant_walls(); every `groundcrew migrate` calls it too.
CREATE FUNCTION raise_tenant_walls() RETURNS boolean LANGUAGE plpgsql AS $body$
DECLARE
  house text := current_schema();
  bare record;
BEGIN
  -- The migrations' own lock: two processes at once would change the same rows of the catalogue.
  PERFORM pg_advisory_xact_lock(7216544010);
  IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'groundcrew_app') THEN
    BEGIN
      CREATE ROLE groundcrew_app NOLOGIN;
    EXCEPTION
      -- Roles belong to the server: another database of it was migrated at the same time.
      WHEN duplicate_object OR unique_violation THEN NULL;
      WHEN insufficient_privilege THEN RETURN false;
    END;
  END IF;
  IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
    BEGIN
      -- From Postgres 16 on, who made a role is a member of it and may still not act as it.
      EXECUTE format('GRANT groundcrew_app TO %I', current_user);
    EXCEPTION WHEN insufficient_privilege THEN
      IF NOT pg_has_role(current_user, 'groundcrew_app', 'MEMBER') THEN RETURN false; END IF;
    END;
  END IF;
  IF NOT has_schema_privilege('groundcrew_app', house, 'USAGE') THEN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO groundcrew_app', house);
  END IF;
  -- One by one: what extensions put beside them is not ours to give.
  FOR bare IN
    SELECT c.oid::regclass AS name, CASE c.relkind WHEN 'S' THEN 'USAGE' ELSE 'SELECT, INSERT, UPDATE, DELETE' END AS rights,
           c.relkind = 'S' AS counts
    FROM pg_class c
    WHERE c.relkind IN ('r','p','v','S') AND c.relnamespace = house::regnamespace
      AND pg_has_role(current_user, c.relowner, 'USAGE') AND c.relname <> 'schema_migrations'
    ORDER BY c.oid
  LOOP
    EXECUTE format('GRANT %s ON %s %s TO groundcrew_app', bare.rights, CASE WHEN bare.counts THEN 'SEQUENCE' ELSE 'TABLE' END,
                   bare.name);
  END LOOP;
  GRANT SELECT ON schema_migrations TO groundcrew_app;
  -- In the order in which they were made: parents first, as everybody locks them.
  FOR bare IN
    SELECT c.oid::regclass AS name, CASE c.relname WHEN 'tenants' THEN 'id' ELSE 'tenant_id' END AS owner
    FROM pg_class c
    WHERE c.relkind IN ('r','p') AND c.relnamespace = house::regnamespace
      AND pg_has_role(current_user, c.relowner, 'USAGE') AND (c.relname = 'tenants' OR EXISTS (
        SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped))
      AND NOT EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'tenant_wall')
    ORDER BY c.oid
  LOOP
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', bare.name);
    EXECUTE format('CREATE POLICY tenant_wall ON %1$s TO groundcrew_app '
                   'USING (%2$I = current_setting(''groundcrew.tenant'', true)) '
                   'WITH CHECK (%2$I = current_setting(''groundcrew.tenant'', true))', bare.name, bare.owner);
  END LOOP;
  RETURN true;
END $body$;

-- Whether the wall stands for this account.
CREATE FUNCTION tenant_walls_stand() RETURNS boolean LANGUAGE sql STABLE AS $body$
  SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'groundcrew_app' AND pg_has_role(current_user, oid,
                   CASE WHEN current_setting('server_version_num')::int < 160000 THEN 'MEMBER' ELSE 'SET' END))
     AND EXISTS (SELECT 1 FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
                 WHERE c.relname = 'tenants' AND c.relnamespace = current_schema()::regnamespace
                   AND p.polname = 'tenant_wall')
$body$;

SELECT raise_tenant_walls();
