/** Public face of the migration domain. */
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
} from './client'
export { type Connection, type ConnectionInput, refuseElsewhere } from './connections'
export type { MigrationNews, RunTick } from './drive'
export { MigrationError } from './failure'
export type { MigrationConfig, MigrationDeps, TargetRef } from './jobs'
export type { PostgresSide, SqliteSide } from './own-store'
export { openPrinter } from './printer'
export type {
  KeptReport,
  LogLine,
  Run,
  RunCheck,
  RunProgress,
  RunSummary,
  RunTarget,
  SwitchoverReport,
} from './runs'
export {
  type Migration,
  type NewRun,
  openMigration,
  type Targets,
} from './service'
export type { SourceList, SourceRef } from './sources'
export * from './types'
export type { Upload, UploadRequest } from './uploads'
