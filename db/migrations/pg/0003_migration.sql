CREATE TABLE "instances" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"version" text NOT NULL,
	"started_at" bigint NOT NULL,
	"seen_at" bigint NOT NULL
);
--> statement-breakpoint
ALTER TABLE "migration_runs" ADD COLUMN "choices" jsonb;--> statement-breakpoint
ALTER TABLE "migration_runs" ADD COLUMN "purpose" text DEFAULT 'migrate' NOT NULL;--> statement-breakpoint
ALTER TABLE "migration_runs" ADD COLUMN "capture" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "migration_runs" ADD COLUMN "accepted" jsonb;