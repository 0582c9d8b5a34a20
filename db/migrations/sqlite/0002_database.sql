CREATE TABLE `index_changes` (
	`id` text PRIMARY KEY NOT NULL,
	`key` text NOT NULL,
	`kind` text NOT NULL,
	`dialect` text NOT NULL,
	`table` text NOT NULL,
	`index` text NOT NULL,
	`ddl` text NOT NULL,
	`undo` text NOT NULL,
	`state` text NOT NULL,
	`busy` integer,
	`lease_owner` text,
	`lease_until` integer,
	`actor` text NOT NULL,
	`requested_at` integer NOT NULL,
	`finished_at` integer,
	`undone_at` integer,
	`error` text,
	`expected` text,
	`fingerprints` text NOT NULL,
	`before` text,
	`after` text,
	`counted` text
);
--> statement-breakpoint
CREATE UNIQUE INDEX `index_changes_busy` ON `index_changes` (`busy`);--> statement-breakpoint
CREATE INDEX `index_changes_requested` ON `index_changes` (`requested_at`);--> statement-breakpoint
CREATE TABLE `leases` (
	`name` text PRIMARY KEY NOT NULL,
	`owner` text NOT NULL,
	`until` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `metric_rollups` (
	`id` text PRIMARY KEY NOT NULL,
	`instance` text NOT NULL,
	`step` integer NOT NULL,
	`at` integer NOT NULL,
	`samples` integer NOT NULL,
	`first_at` integer NOT NULL,
	`last_at` integer NOT NULL,
	`names` text NOT NULL,
	`values` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `metric_rollups_at` ON `metric_rollups` (`step`,`at`);--> statement-breakpoint
CREATE TABLE `statement_rollups` (
	`id` text PRIMARY KEY NOT NULL,
	`fingerprint` text NOT NULL,
	`at` integer NOT NULL,
	`writer` text NOT NULL,
	`calls` integer NOT NULL,
	`total` integer NOT NULL,
	`longest` integer,
	`rows` integer
);
--> statement-breakpoint
CREATE INDEX `statement_rollups_at` ON `statement_rollups` (`at`);--> statement-breakpoint
CREATE INDEX `statement_rollups_statement` ON `statement_rollups` (`fingerprint`,`at`);