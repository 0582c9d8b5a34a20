/** Public face of the migration domain. */

export { MigrationError } from './failure'
export { type Connection, type ConnectionInput, refuseElsewhere } from './places/connections'
export type { SourceList, SourceRef } from './places/sources'
export type { Upload, UploadRequest } from './places/uploads'
export { choicesOf } from './plan/choices-of'
export { choicesSchema, parseChoices } from './plan/choices-schema'
export { type RunAtTarget, runsAt } from './runs/at-target'
export {
  type ClientOptions,
  cancelRun,
  makePlan,
  preflight,
  type RunEnd,
  type RunHandle,
  resumeRun,
  startRun,
  validate,
  workerPath,
} from './runs/client'
export type { MigrationConfig, MigrationDeps, TargetRef } from './runs/jobs'
export type { MigrationNews, RunTick } from './runs/news'
export { persistRun } from './runs/persist'
export { openPrinter } from './runs/printer'
export type { RejectPage } from './runs/reject-file'
export { refuseUnaccepted } from './runs/rejects'
export type {
  Acceptance,
  KeptReport,
  LogLine,
  Run,
  RunCheck,
  RunProgress,
  RunSummary,
  RunTarget,
  SwitchBackReport,
  SwitchoverReport,
} from './runs/run'
export { moveStore } from './runs/unattended'
export {
  type Migration,
  type NewRun,
  openMigration,
  type Targets,
} from './service'
export type { PostgresSide, SqliteSide } from './store/own-store'
export * from './types'
