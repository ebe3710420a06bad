CREATE TABLE "ingest"."replays" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "ingest"."replays_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"execution_name" text NOT NULL,
	"requested_by" text NOT NULL,
	"why" text NOT NULL,
	"selection" jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"sent_up_to_id" bigint DEFAULT 0 NOT NULL,
	"files_sent" integer DEFAULT 0 NOT NULL,
	"finished_at" timestamp with time zone,
	CONSTRAINT "replays_execution_name_unique" UNIQUE("execution_name")
);
--> statement-breakpoint
ALTER TABLE "ingest"."messages" ALTER COLUMN "batch_id" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "ingest"."files" ADD COLUMN "replay_id" bigint;--> statement-breakpoint
ALTER TABLE "ingest"."files" ADD COLUMN "claimed_by" text;--> statement-breakpoint
ALTER TABLE "ingest"."files" ADD COLUMN "claimed_round" integer;--> statement-breakpoint
ALTER TABLE "ingest"."files" ADD COLUMN "claimed_until" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "ingest"."files" ADD CONSTRAINT "files_replay_id_replays_id_fk" FOREIGN KEY ("replay_id") REFERENCES "ingest"."replays"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "files_claimed_by" ON "ingest"."files" USING btree ("claimed_by") WHERE "ingest"."files"."claimed_by" is not null;