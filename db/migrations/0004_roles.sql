-- One role for each purpose, with what it needs and nothing more. They belong to the whole server, so they may be there
-- already, made by the migration of another database. Without a password nobody can log in: the build sets them afterwards.
-- The comment is also a lock, until the end of the transaction: of two migrations on one server the second waits here, and
-- does not fail at what follows with "tuple concurrently updated".
DO $$
DECLARE
	made record;
BEGIN
	FOR made IN SELECT * FROM (VALUES
		('sluice_ingest', 'Sluice: loads files (ingest, load-file)'),
		('sluice_inspection', 'Sluice: reads the ledger for the command line (read-ledger)'),
		('sluice_maintenance', 'Sluice: dead letters, quarantine, replays, the sweep'),
		('sluice_reader', 'Sluice: reads the marts (people, dashboards)'),
		('sluice_transform', 'Sluice: builds the marts (dbt), and owns them')
	) AS roles (name, purpose) LOOP
		BEGIN
			EXECUTE format('CREATE ROLE %I LOGIN', made.name);
		EXCEPTION WHEN duplicate_object OR unique_violation THEN
			NULL;
		END;
		EXECUTE format('COMMENT ON ROLE %I IS %L', made.name, made.purpose);
	END LOOP;
END $$;
--> statement-breakpoint
-- The server's limits for the functions, and their one home. All lie below the timeout of every function that connects (50 s
-- and more), so that a slow statement shows as an error of the database, and a function that is frozen within its
-- transaction, and cannot be told anything, loses its locks before the next delivery of its messages.
DO $$
DECLARE
	role text;
BEGIN
	FOREACH role IN ARRAY ARRAY['sluice_ingest', 'sluice_maintenance', 'sluice_inspection'] LOOP
		EXECUTE format('ALTER ROLE %I SET statement_timeout = ''30s''', role);
		EXECUTE format('ALTER ROLE %I SET lock_timeout = ''10s''', role);
		EXECUTE format('ALTER ROLE %I SET idle_in_transaction_session_timeout = ''10s''', role);
		EXECUTE format('ALTER ROLE %I SET transaction_timeout = ''45s''', role);
	END LOOP;
	-- Every name is written with its schema, so nothing that somebody puts into another can take its place.
	FOREACH role IN ARRAY ARRAY['sluice_ingest', 'sluice_maintenance', 'sluice_inspection', 'sluice_transform'] LOOP
		EXECUTE format('ALTER ROLE %I SET search_path = pg_catalog', role);
	END LOOP;
END $$;
--> statement-breakpoint
ALTER ROLE "sluice_reader" SET search_path = marts;--> statement-breakpoint
-- Marts are small: what takes longer is a join gone wrong. Somebody who went to lunch in a transaction holds back vacuum.
ALTER ROLE "sluice_reader" SET statement_timeout = '5min';--> statement-breakpoint
ALTER ROLE "sluice_reader" SET idle_in_transaction_session_timeout = '5min';--> statement-breakpoint
-- Dashboards open as many as they are let, and a server has few hundred: ingest must always get its own.
ALTER ROLE "sluice_reader" CONNECTION LIMIT 20;--> statement-breakpoint
-- contract: none used it, every release before this one connects as the owner
DO $$
BEGIN
	EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
	REVOKE ALL ON SCHEMA public FROM PUBLIC;
	EXECUTE format('GRANT CONNECT ON DATABASE %I TO sluice_ingest, sluice_inspection, sluice_maintenance, sluice_reader, sluice_transform', current_database());
	-- dbt selects new rows into a temporary table first.
	EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO sluice_transform', current_database());
END $$;
--> statement-breakpoint
GRANT USAGE ON SCHEMA "ingest" TO "sluice_ingest", "sluice_inspection", "sluice_maintenance", "sluice_transform";--> statement-breakpoint
GRANT USAGE ON SCHEMA "raw" TO "sluice_ingest", "sluice_maintenance", "sluice_transform";--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE ON "ingest"."files", "ingest"."batches" TO "sluice_ingest";--> statement-breakpoint
GRANT INSERT ON "ingest"."messages", "raw"."documents" TO "sluice_ingest";--> statement-breakpoint
GRANT SELECT, UPDATE ON "ingest"."transform_lease" TO "sluice_ingest", "sluice_maintenance";--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE ON "ingest"."files", "ingest"."replays" TO "sluice_maintenance";--> statement-breakpoint
GRANT INSERT ON "ingest"."messages" TO "sluice_maintenance";--> statement-breakpoint
GRANT SELECT, UPDATE ("started_at") ON "ingest"."batches" TO "sluice_maintenance";--> statement-breakpoint
GRANT SELECT ON "ingest"."files", "ingest"."current_files", "ingest"."batches", "ingest"."replays", "ingest"."transforms" TO "sluice_inspection";--> statement-breakpoint
-- Not the body: it is whatever somebody sent.
GRANT SELECT ("message_id", "reason", "batch_id", "received_at") ON "ingest"."messages" TO "sluice_inspection";--> statement-breakpoint
GRANT SELECT ON "ingest"."files", "ingest"."current_files", "ingest"."batches", "raw"."documents" TO "sluice_transform";--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE ON "ingest"."transforms", "ingest"."transform_watermarks" TO "sluice_transform";--> statement-breakpoint
GRANT SELECT, UPDATE ON "ingest"."transform_lease" TO "sluice_transform";--> statement-breakpoint
-- A partition can only be made by the owner of its table, who could also empty it. So the owner's right is lent for this alone,
-- and for days that can be meant.
CREATE FUNCTION "raw"."create_partition"(day date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF day IS NULL OR day - (now() AT TIME ZONE 'UTC')::date NOT BETWEEN 0 AND 366 THEN
		RAISE EXCEPTION 'not a day of the next year: %', day USING ERRCODE = 'invalid_parameter_value';
	END IF;
	EXECUTE format('CREATE TABLE raw.%I PARTITION OF raw.documents FOR VALUES FROM (%L) TO (%L)', to_char(day, '"documents_"YYYYMMDD'), day, day + 1);
END $$;
--> statement-breakpoint
-- contract: new, and PostgreSQL lets everybody call what is new
REVOKE ALL ON FUNCTION "raw"."create_partition"(date) FROM PUBLIC;--> statement-breakpoint
GRANT EXECUTE ON FUNCTION "raw"."create_partition"(date) TO "sluice_maintenance";--> statement-breakpoint
-- Who migrates may be no superuser (on AWS it is not), and gives away only what is his to take back.
GRANT "sluice_transform" TO CURRENT_USER WITH INHERIT TRUE, SET TRUE;--> statement-breakpoint
DO $$
DECLARE
	name text;
	relation record;
BEGIN
	FOREACH name IN ARRAY ARRAY['staging', 'intermediate', 'marts'] LOOP
		IF to_regnamespace(name) IS NULL THEN
			EXECUTE format('CREATE SCHEMA %I AUTHORIZATION sluice_transform', name);
			CONTINUE;
		END IF;
		-- Built before there were roles.
		EXECUTE format('ALTER SCHEMA %I OWNER TO sluice_transform', name);
		FOR relation IN SELECT oid::regclass AS name FROM pg_class WHERE relnamespace = to_regnamespace(name) AND relkind IN ('r', 'v') LOOP
			EXECUTE format('ALTER TABLE %s OWNER TO sluice_transform', relation.name);
		END LOOP;
	END LOOP;
END $$;
--> statement-breakpoint
GRANT USAGE ON SCHEMA "marts" TO "sluice_reader";--> statement-breakpoint
GRANT SELECT ON ALL TABLES IN SCHEMA "marts" TO "sluice_reader";--> statement-breakpoint
ALTER DEFAULT PRIVILEGES FOR ROLE "sluice_transform" IN SCHEMA "marts" GRANT SELECT ON TABLES TO "sluice_reader";
