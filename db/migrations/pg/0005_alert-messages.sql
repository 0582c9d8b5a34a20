ALTER TABLE "alert_channels" ADD COLUMN "disabled_reason" text;--> statement-breakpoint
ALTER TABLE "alert_deliveries" ADD COLUMN "message_id" text;--> statement-breakpoint
ALTER TABLE "alert_deliveries" ADD COLUMN "answer" text;--> statement-breakpoint
ALTER TABLE "alert_deliveries" ADD COLUMN "took_ms" integer;--> statement-breakpoint
CREATE INDEX "alert_deliveries_sent" ON "alert_deliveries" USING btree ("channel_id","delivered_at");--> statement-breakpoint
CREATE INDEX "alerts_seen" ON "alerts" USING btree ("seen_at");