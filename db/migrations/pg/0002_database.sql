CREATE TABLE "index_changes" (
	"id" text PRIMARY KEY NOT NULL,
	"key" text NOT NULL,
	"kind" text NOT NULL,
	"dialect" text NOT NULL,
	"table" text NOT NULL,
	"index" text NOT NULL,
	"ddl" text NOT NULL,
	"undo" text NOT NULL,
	"state" text NOT NULL,
	"busy" integer,
	"lease_owner" text,
	"lease_until" bigint,
	"actor" text NOT NULL,
	"requested_at" bigint NOT NULL,
	"finished_at" bigint,
	"undone_at" bigint,
	"error" text,
	"expected" jsonb,
	"fingerprints" jsonb NOT NULL,
	"before" jsonb,
	"after" jsonb,
	"counted" jsonb
);
--> statement-breakpoint
CREATE TABLE "leases" (
	"name" text PRIMARY KEY NOT NULL,
	"owner" text NOT NULL,
	"until" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "metric_rollups" (
	"id" text PRIMARY KEY NOT NULL,
	"instance" text NOT NULL,
	"step" integer NOT NULL,
	"at" bigint NOT NULL,
	"samples" integer NOT NULL,
	"first_at" bigint NOT NULL,
	"last_at" bigint NOT NULL,
	"names" text NOT NULL,
	"values" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "statement_rollups" (
	"id" text PRIMARY KEY NOT NULL,
	"fingerprint" text NOT NULL,
	"at" bigint NOT NULL,
	"writer" text NOT NULL,
	"calls" bigint NOT NULL,
	"total" bigint NOT NULL,
	"longest" bigint,
	"rows" bigint
);
--> statement-breakpoint
CREATE UNIQUE INDEX "index_changes_busy" ON "index_changes" USING btree ("busy");--> statement-breakpoint
CREATE INDEX "index_changes_requested" ON "index_changes" USING btree ("requested_at");--> statement-breakpoint
CREATE INDEX "metric_rollups_at" ON "metric_rollups" USING btree ("step","at");--> statement-breakpoint
CREATE INDEX "statement_rollups_at" ON "statement_rollups" USING btree ("at");--> statement-breakpoint
CREATE INDEX "statement_rollups_statement" ON "statement_rollups" USING btree ("fingerprint","at");