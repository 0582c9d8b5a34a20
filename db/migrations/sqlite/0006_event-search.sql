CREATE TABLE `event_chunks` (
	`id` integer PRIMARY KEY NOT NULL,
	`events` integer NOT NULL,
	`min_time` integer NOT NULL,
	`max_time` integer NOT NULL,
	`values` text NOT NULL,
	`data` text NOT NULL
);
--> statement-breakpoint
DROP INDEX `event_counts_at`;--> statement-breakpoint
ALTER TABLE `event_counts` ADD `step` integer DEFAULT 3600000 NOT NULL;--> statement-breakpoint
CREATE INDEX `event_counts_at` ON `event_counts` (`step`,`at`);