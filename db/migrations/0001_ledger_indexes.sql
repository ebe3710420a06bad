CREATE INDEX "batches_unstarted" ON "ingest"."batches" USING btree ("id") WHERE "ingest"."batches"."started_at" is null and "ingest"."batches"."execution_name" is not null;--> statement-breakpoint
CREATE INDEX "files_status" ON "ingest"."files" USING btree ("status","source","changed_at");--> statement-breakpoint
CREATE INDEX "files_batch" ON "ingest"."files" USING btree ("batch_id");