CREATE TABLE `alert_channels` (
	`id` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`name` text NOT NULL,
	`config` text NOT NULL,
	`secret_sealed` text,
	`least_severity` text NOT NULL,
	`enabled` integer NOT NULL,
	`created_at` integer NOT NULL,
	`created_by` text NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `alert_channels_name` ON `alert_channels` (`name`);--> statement-breakpoint
CREATE TABLE `alert_deliveries` (
	`id` text PRIMARY KEY NOT NULL,
	`alert_id` text NOT NULL,
	`channel_id` text NOT NULL,
	`state` text NOT NULL,
	`attempts` integer NOT NULL,
	`next_at` integer NOT NULL,
	`error` text,
	`created_at` integer NOT NULL,
	`delivered_at` integer,
	`lease_owner` text,
	`lease_until` integer,
	FOREIGN KEY (`alert_id`) REFERENCES `alerts`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`channel_id`) REFERENCES `alert_channels`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `alert_deliveries_once` ON `alert_deliveries` (`alert_id`,`channel_id`);--> statement-breakpoint
CREATE INDEX `alert_deliveries_due` ON `alert_deliveries` (`state`,`next_at`);--> statement-breakpoint
CREATE TABLE `alerts` (
	`id` text PRIMARY KEY NOT NULL,
	`key` text NOT NULL,
	`finding_id` text,
	`severity` text NOT NULL,
	`title` text NOT NULL,
	`body` text NOT NULL,
	`created_at` integer NOT NULL,
	`seen_at` integer,
	`seen_by` text
);
--> statement-breakpoint
CREATE UNIQUE INDEX `alerts_key` ON `alerts` (`key`);--> statement-breakpoint
CREATE INDEX `alerts_created` ON `alerts` (`created_at`);--> statement-breakpoint
CREATE TABLE `blocks` (
	`id` text PRIMARY KEY NOT NULL,
	`network` text NOT NULL,
	`origin` text NOT NULL,
	`reason` text NOT NULL,
	`level` integer NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer,
	`created_by` text NOT NULL,
	`lifted_at` integer,
	`lifted_by` text,
	`finding_id` text
);
--> statement-breakpoint
CREATE INDEX `blocks_network` ON `blocks` (`network`,`created_at`);--> statement-breakpoint
CREATE INDEX `blocks_expiry` ON `blocks` (`lifted_at`,`expires_at`);--> statement-breakpoint
CREATE TABLE `event_counts` (
	`id` text PRIMARY KEY NOT NULL,
	`at` integer NOT NULL,
	`event` text NOT NULL,
	`outcome` text NOT NULL,
	`severity` text NOT NULL,
	`source` text,
	`events` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `event_counts_at` ON `event_counts` (`at`);--> statement-breakpoint
CREATE TABLE `findings` (
	`id` text PRIMARY KEY NOT NULL,
	`rule` text NOT NULL,
	`subject` text NOT NULL,
	`growing` text,
	`severity` text NOT NULL,
	`state` text NOT NULL,
	`dry_run` integer NOT NULL,
	`summary` text NOT NULL,
	`count` integer NOT NULL,
	`first_at` integer NOT NULL,
	`last_at` integer NOT NULL,
	`evidence` text NOT NULL,
	`responses` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`acknowledged_at` integer,
	`acknowledged_by` text,
	`closed_at` integer,
	`closed_by` text,
	`note` text
);
--> statement-breakpoint
CREATE UNIQUE INDEX `findings_growing` ON `findings` (`growing`);--> statement-breakpoint
CREATE INDEX `findings_created` ON `findings` (`created_at`);--> statement-breakpoint
CREATE INDEX `findings_state` ON `findings` (`state`,`last_at`);--> statement-breakpoint
CREATE TABLE `idempotency_keys` (
	`id` text PRIMARY KEY NOT NULL,
	`input_hash` text NOT NULL,
	`result` text,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `idempotency_keys_expiry` ON `idempotency_keys` (`expires_at`);--> statement-breakpoint
CREATE TABLE `rule_settings` (
	`rule` text PRIMARY KEY NOT NULL,
	`enabled` integer NOT NULL,
	`dry_run` integer NOT NULL,
	`params` text NOT NULL,
	`updated_at` integer NOT NULL,
	`updated_by` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `trusted_sources` (
	`id` text PRIMARY KEY NOT NULL,
	`network` text NOT NULL,
	`owner` text NOT NULL,
	`reason` text NOT NULL,
	`created_at` integer NOT NULL,
	`created_by` text NOT NULL,
	`expires_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `trusted_sources_network` ON `trusted_sources` (`network`);--> statement-breakpoint
ALTER TABLE `audit_events` ADD `severity` text;--> statement-breakpoint
ALTER TABLE `audit_events` ADD `source` text;--> statement-breakpoint
ALTER TABLE `sessions` ADD `doubted_at` integer;