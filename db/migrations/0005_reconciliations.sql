CREATE TABLE "ingest"."reconciliations" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "ingest"."reconciliations_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"execution_name" text NOT NULL,
	"requested_by" text,
	"why" text,
	"is_backfill" boolean NOT NULL,
	"prefix" text NOT NULL,
	"key_marker" text,
	"version_id_marker" text,
	"listed" bigint DEFAULT 0 NOT NULL,
	"ignored" bigint DEFAULT 0 NOT NULL,
	"ignored_examples" text[] DEFAULT '{}' NOT NULL,
	"missing" bigint DEFAULT 0 NOT NULL,
	"missing_examples" text[] DEFAULT '{}' NOT NULL,
	"started_at" timestamp with time zone DEFAULT now() NOT NULL,
	"ended_at" timestamp with time zone,
	CONSTRAINT "reconciliations_execution_name_unique" UNIQUE("execution_name")
);
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE ON "ingest"."reconciliations" TO "sluice_maintenance";--> statement-breakpoint
GRANT SELECT ON "ingest"."reconciliations" TO "sluice_inspection";--> statement-breakpoint
-- Not dropped and made anew: dbt's views stand on it.
CREATE OR REPLACE VIEW "ingest"."current_files" AS (
    select
      file.id, file.bucket, file.key, file.version_id, file.source,
      case
        when file.status = 'loaded' and exists (
          select from ingest.files newer
          where newer.bucket = file.bucket and newer.key = file.key and newer.status = 'loaded'
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
      file.quarantine_note, file.created_at, file.changed_at, file.changed_xid, file.replay_id
    from ingest.files file
  );