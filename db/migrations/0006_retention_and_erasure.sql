CREATE TABLE "ingest"."dropped_days" (
	"day" date PRIMARY KEY NOT NULL,
	"dropped_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "ingest"."erasures" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "ingest"."erasures_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"bucket" text NOT NULL,
	"key" text NOT NULL,
	"requested_by" text NOT NULL,
	"why" text NOT NULL,
	"begun_at" timestamp with time zone DEFAULT now() NOT NULL,
	"completed_at" timestamp with time zone,
	"versions" integer DEFAULT 0 NOT NULL,
	"copies" integer DEFAULT 0 NOT NULL,
	"documents" integer DEFAULT 0 NOT NULL,
	"reasons" integer DEFAULT 0 NOT NULL,
	"messages" integer DEFAULT 0 NOT NULL,
	"files" integer DEFAULT 0 NOT NULL
);
--> statement-breakpoint
ALTER TABLE "ingest"."files" ADD COLUMN "erased_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "ingest"."transform_watermarks" ADD COLUMN "source" text;--> statement-breakpoint
CREATE INDEX "erasures_key" ON "ingest"."erasures" USING btree ("bucket","key");--> statement-breakpoint
-- Not dropped and made anew: dbt's views stand on it.
CREATE OR REPLACE VIEW "ingest"."current_files" AS (
    select
      file.id, file.bucket, file.key, file.version_id, file.source,
      case
        when file.erased_at is not null then 'erased'
        when file.status = 'loaded' and exists (
          select from ingest.files newer
          where newer.bucket = file.bucket and newer.key = file.key and newer.status = 'loaded'
            and newer.erased_at is null
            and case
              when newer.sequencer_rank is not null and file.sequencer_rank is not null
                then newer.sequencer_rank > file.sequencer_rank
              else (
                coalesce(newer.last_modified_at, newer.event_at, newer.created_at), coalesce(newer.sequencer_rank, ''),
                coalesce(newer.event_at, newer.created_at), newer.id
              ) > (
                coalesce(file.last_modified_at, file.event_at, file.created_at), coalesce(file.sequencer_rank, ''),
                coalesce(file.event_at, file.created_at), file.id
              )
            end
        ) then 'superseded'
        else file.status::text
      end as state,
      file.status, file.reason, file.contract_version, file.records, file.sequencer, file.size_bytes, file.event_at,
      file.last_modified_at, file.loaded_on, file.batch_id, file.attempts_begun, file.attempts_ended, file.quarantine_key,
      file.quarantine_note, file.created_at, file.changed_at, file.changed_xid, file.replay_id,
      file.erased_at
    from ingest.files file
  );
--> statement-breakpoint
-- `sluice_documents` cannot log in. It owns the table of documents, since PostgreSQL lets only the owner detach a partition.
-- The comment is also a lock, as in 0004.
DO $$
DECLARE
	made record;
BEGIN
	FOR made IN SELECT * FROM (VALUES
		('sluice_documents', 'NOLOGIN', 'Sluice: owns raw.documents, whose partitions the sweep detaches in its name'),
		('sluice_erasure', 'LOGIN', 'Sluice: erases what a key held (erase-file)')
	) AS roles (name, login, purpose) LOOP
		BEGIN
			EXECUTE format('CREATE ROLE %I %s', made.name, made.login);
		EXCEPTION WHEN duplicate_object OR unique_violation THEN
			NULL;
		END;
		EXECUTE format('COMMENT ON ROLE %I IS %L', made.name, made.purpose);
	END LOOP;
END $$;
--> statement-breakpoint
-- As those of the other functions.
ALTER ROLE "sluice_erasure" SET statement_timeout = '30s';--> statement-breakpoint
ALTER ROLE "sluice_erasure" SET lock_timeout = '10s';--> statement-breakpoint
ALTER ROLE "sluice_erasure" SET idle_in_transaction_session_timeout = '10s';--> statement-breakpoint
ALTER ROLE "sluice_erasure" SET transaction_timeout = '45s';--> statement-breakpoint
ALTER ROLE "sluice_erasure" SET search_path = pg_catalog;--> statement-breakpoint
DO $$
BEGIN
	EXECUTE format('GRANT CONNECT ON DATABASE %I TO sluice_erasure', current_database());
END $$;
--> statement-breakpoint
GRANT USAGE ON SCHEMA "ingest" TO "sluice_erasure";--> statement-breakpoint
GRANT USAGE ON SCHEMA "raw" TO "sluice_erasure", "sluice_documents";--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE ("reason", "erased_at", "changed_xid") ON "ingest"."files" TO "sluice_erasure";--> statement-breakpoint
GRANT SELECT ("message_id", "body"), UPDATE ("body") ON "ingest"."messages" TO "sluice_erasure";--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE ON "ingest"."erasures" TO "sluice_erasure";--> statement-breakpoint
-- Whose it is, and not what it says.
GRANT SELECT ("file_id", "loaded_on"), DELETE ON "raw"."documents" TO "sluice_erasure";--> statement-breakpoint
GRANT SELECT ("file_id", "loaded_on") ON "raw"."documents" TO "sluice_maintenance";--> statement-breakpoint
GRANT SELECT ("id", "outcome", "read_below") ON "ingest"."transforms" TO "sluice_maintenance";--> statement-breakpoint
GRANT SELECT ON "ingest"."transform_watermarks" TO "sluice_maintenance";--> statement-breakpoint
GRANT SELECT ON "ingest"."dropped_days", "ingest"."erasures" TO "sluice_inspection";--> statement-breakpoint
-- Who migrates stays an owner by membership, and goes on making partitions. To give a table away, who gets it must be able to
-- make one in its schema: for this moment only.
GRANT "sluice_documents" TO CURRENT_USER WITH INHERIT TRUE, SET TRUE;--> statement-breakpoint
GRANT CREATE ON SCHEMA "raw" TO "sluice_documents";--> statement-breakpoint
ALTER TABLE "raw"."documents" OWNER TO "sluice_documents";--> statement-breakpoint
-- contract: granted two statements before
REVOKE CREATE ON SCHEMA "raw" FROM "sluice_documents";--> statement-breakpoint
-- Not inherited: only who says SET ROLE has the owner's right, and nothing that the sweep does otherwise.
GRANT "sluice_documents" TO "sluice_maintenance" WITH INHERIT FALSE, SET TRUE;--> statement-breakpoint
-- What was detached can be attached again, what was dropped is gone: so that is not the role's to do, but of this function, which
-- drops nothing that is attached, nothing of the last week, and nothing without saying so.
CREATE FUNCTION "raw"."drop_partition"(day date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	name text := to_char(day, '"documents_"YYYYMMDD');
BEGIN
	IF day IS NULL OR NOT day < (now() AT TIME ZONE 'UTC')::date - 7 THEN
		RAISE EXCEPTION 'not a day that ended a week ago: %', day USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF EXISTS (SELECT FROM pg_inherits WHERE inhrelid = to_regclass('raw.' || name)) THEN
		RAISE EXCEPTION '% is still attached', name USING ERRCODE = 'object_in_use';
	END IF;
	-- contract: the documents of a day that is over, which nothing but the marts needed
	EXECUTE format('DROP TABLE raw.%I', name);
	INSERT INTO ingest.dropped_days (day) VALUES (day) ON CONFLICT ON CONSTRAINT dropped_days_pkey DO UPDATE SET dropped_at = excluded.dropped_at;
END $$;
--> statement-breakpoint
-- contract: new, and PostgreSQL lets everybody call what is new
REVOKE ALL ON FUNCTION "raw"."drop_partition"(date) FROM PUBLIC;--> statement-breakpoint
GRANT EXECUTE ON FUNCTION "raw"."drop_partition"(date) TO "sluice_maintenance";
