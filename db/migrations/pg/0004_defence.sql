CREATE TABLE "alert_channels" (
	"id" text PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"name" text NOT NULL,
	"config" jsonb NOT NULL,
	"secret_sealed" text,
	"least_severity" text NOT NULL,
	"enabled" boolean NOT NULL,
	"created_at" bigint NOT NULL,
	"created_by" text NOT NULL,
	"updated_at" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "alert_deliveries" (
	"id" text PRIMARY KEY NOT NULL,
	"alert_id" text NOT NULL,
	"channel_id" text NOT NULL,
	"state" text NOT NULL,
	"attempts" integer NOT NULL,
	"next_at" bigint NOT NULL,
	"error" text,
	"created_at" bigint NOT NULL,
	"delivered_at" bigint,
	"lease_owner" text,
	"lease_until" bigint
);
--> statement-breakpoint
CREATE TABLE "alerts" (
	"id" text PRIMARY KEY NOT NULL,
	"key" text NOT NULL,
	"finding_id" text,
	"severity" text NOT NULL,
	"title" text NOT NULL,
	"body" text NOT NULL,
	"created_at" bigint NOT NULL,
	"seen_at" bigint,
	"seen_by" text
);
--> statement-breakpoint
CREATE TABLE "blocks" (
	"id" text PRIMARY KEY NOT NULL,
	"network" text NOT NULL,
	"origin" text NOT NULL,
	"reason" text NOT NULL,
	"level" integer NOT NULL,
	"created_at" bigint NOT NULL,
	"expires_at" bigint,
	"created_by" text NOT NULL,
	"lifted_at" bigint,
	"lifted_by" text,
	"finding_id" text
);
--> statement-breakpoint
CREATE TABLE "event_counts" (
	"id" text PRIMARY KEY NOT NULL,
	"at" bigint NOT NULL,
	"event" text NOT NULL,
	"outcome" text NOT NULL,
	"severity" text NOT NULL,
	"source" text,
	"events" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "findings" (
	"id" text PRIMARY KEY NOT NULL,
	"rule" text NOT NULL,
	"subject" text NOT NULL,
	"growing" text,
	"severity" text NOT NULL,
	"state" text NOT NULL,
	"dry_run" boolean NOT NULL,
	"summary" text NOT NULL,
	"count" bigint NOT NULL,
	"first_at" bigint NOT NULL,
	"last_at" bigint NOT NULL,
	"evidence" jsonb NOT NULL,
	"responses" jsonb NOT NULL,
	"created_at" bigint NOT NULL,
	"updated_at" bigint NOT NULL,
	"acknowledged_at" bigint,
	"acknowledged_by" text,
	"closed_at" bigint,
	"closed_by" text,
	"note" text
);
--> statement-breakpoint
CREATE TABLE "idempotency_keys" (
	"id" text PRIMARY KEY NOT NULL,
	"input_hash" text NOT NULL,
	"result" jsonb,
	"created_at" bigint NOT NULL,
	"expires_at" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "rule_settings" (
	"rule" text PRIMARY KEY NOT NULL,
	"enabled" boolean NOT NULL,
	"dry_run" boolean NOT NULL,
	"params" jsonb NOT NULL,
	"updated_at" bigint NOT NULL,
	"updated_by" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "trusted_sources" (
	"id" text PRIMARY KEY NOT NULL,
	"network" text NOT NULL,
	"owner" text NOT NULL,
	"reason" text NOT NULL,
	"created_at" bigint NOT NULL,
	"created_by" text NOT NULL,
	"expires_at" bigint
);
--> statement-breakpoint
ALTER TABLE "audit_events" ADD COLUMN "severity" text;--> statement-breakpoint
ALTER TABLE "audit_events" ADD COLUMN "source" text;--> statement-breakpoint
ALTER TABLE "sessions" ADD COLUMN "doubted_at" bigint;--> statement-breakpoint
ALTER TABLE "alert_deliveries" ADD CONSTRAINT "alert_deliveries_alert_id_alerts_id_fk" FOREIGN KEY ("alert_id") REFERENCES "public"."alerts"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "alert_deliveries" ADD CONSTRAINT "alert_deliveries_channel_id_alert_channels_id_fk" FOREIGN KEY ("channel_id") REFERENCES "public"."alert_channels"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "alert_channels_name" ON "alert_channels" USING btree ("name");--> statement-breakpoint
CREATE UNIQUE INDEX "alert_deliveries_once" ON "alert_deliveries" USING btree ("alert_id","channel_id");--> statement-breakpoint
CREATE INDEX "alert_deliveries_due" ON "alert_deliveries" USING btree ("state","next_at");--> statement-breakpoint
CREATE UNIQUE INDEX "alerts_key" ON "alerts" USING btree ("key");--> statement-breakpoint
CREATE INDEX "alerts_created" ON "alerts" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "blocks_network" ON "blocks" USING btree ("network","created_at");--> statement-breakpoint
CREATE INDEX "blocks_expiry" ON "blocks" USING btree ("lifted_at","expires_at");--> statement-breakpoint
CREATE INDEX "event_counts_at" ON "event_counts" USING btree ("at");--> statement-breakpoint
CREATE UNIQUE INDEX "findings_growing" ON "findings" USING btree ("growing");--> statement-breakpoint
CREATE INDEX "findings_created" ON "findings" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "findings_state" ON "findings" USING btree ("state","last_at");--> statement-breakpoint
CREATE INDEX "idempotency_keys_expiry" ON "idempotency_keys" USING btree ("expires_at");--> statement-breakpoint
CREATE UNIQUE INDEX "trusted_sources_network" ON "trusted_sources" USING btree ("network");