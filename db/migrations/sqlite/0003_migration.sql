CREATE TABLE `instances` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`version` text NOT NULL,
	`started_at` integer NOT NULL,
	`seen_at` integer NOT NULL
);
--> statement-breakpoint
ALTER TABLE `migration_runs` ADD `choices` text;--> statement-breakpoint
ALTER TABLE `migration_runs` ADD `purpose` text DEFAULT 'migrate' NOT NULL;--> statement-breakpoint
ALTER TABLE `migration_runs` ADD `capture` integer DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE `migration_runs` ADD `accepted` text;