ALTER TABLE `alert_channels` ADD `disabled_reason` text;--> statement-breakpoint
ALTER TABLE `alert_deliveries` ADD `message_id` text;--> statement-breakpoint
ALTER TABLE `alert_deliveries` ADD `answer` text;--> statement-breakpoint
ALTER TABLE `alert_deliveries` ADD `took_ms` integer;--> statement-breakpoint
CREATE INDEX `alert_deliveries_sent` ON `alert_deliveries` (`channel_id`,`delivered_at`);--> statement-breakpoint
CREATE INDEX `alerts_seen` ON `alerts` (`seen_at`);