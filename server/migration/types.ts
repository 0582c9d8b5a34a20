/**
 * The plain data that the migration engine, its worker process, the page, REST and the command line share.
 * Everything here survives structured cloning and JSON: 64-bit integers travel as decimal text.
 */

/** Where a run writes to. `password` crosses processes by IPC only, never by arguments, and is never stored. */
export interface Target {
  host: string
  port: number
  database: string
  user: string
  password: string
  /** Schema that receives the tables. */
  schema: string
  /** true: encrypt and verify the certificate; 'no-verify': encrypt only. Absent: plain. */
  ssl?: boolean | 'no-verify'
  /** Certificates of the authorities that are trusted, in PEM; absent: those of the system. Never stored. */
  ca?: string
}

export type CheckState = 'green' | 'amber' | 'red'

/** One line of the preflight. Red blocks a start, amber must be acknowledged. */
export interface Check {
  id: string
  title: string
  state: CheckState
  detail: string
  /** What to do about it, with the statement to run where there is one. */
  remedy?: string
}

/** Counts by SQLite's storage class over every row of a column, and the bounds that the mapping needs. */
export interface ColumnEvidence {
  rows: number
  nulls: number
  integers: number
  reals: number
  texts: number
  blobs: number
  /** Smallest and largest value as SQLite orders them, cut to 40 characters; null without values and for text columns. */
  min: string | null
  max: string | null
  /** Longest text or blob, and all of them together, in bytes. */
  maxBytes: number
  bytes: number
  /** Every value that is stored agrees with this form; looked for in dates and times only. */
  shape?: TimeShape
  /** Every value fits DECIMAL(p,s) as declared; looked for there only. */
  decimal?: boolean
}

/** The one text form that all values of a date or time column share: separator, digits of seconds, zone. */
export type TimeShape = 'date' | `${' ' | 'T'}${0 | 3 | 6}${'' | 'Z'}`

/** What reading the rows of one table found. */
export interface TableEvidence {
  /** Of the columns, in the order of all that is by column. */
  names: string[]
  columns: ColumnEvidence[]
  rows: number
  /** Least and greatest rowid, decimal text; null for an empty table or one without rowids. */
  rowids: { min: string; max: string } | null
  /** By column: values to show, and the types to choose from. Absent before the rows were read. */
  samples?: string[][]
  options?: TypeOption[][]
}

/** What one plan found in the rows, for another of the same state of the file: only choices differ. */
export interface KeptEvidence {
  /** `files` of the source's mark. */
  files: string
  tables: Record<string, TableEvidence>
  /** Names of virtual tables. */
  virtual: string[]
  /** Rows by `table#n` that break the n-th foreign key. */
  orphans: Record<string, number>
}

/** How a value is written for COPY and, in its canonical form, for validation. */
export type Render =
  | 'integer'
  | 'boolean'
  | 'real'
  | 'numeric'
  | 'text'
  | 'bytes'
  | 'time'
  /** A boolean from words: t, true, yes, 1 and their opposites. */
  | 'flag'
  /** A moment from a number: seconds or milliseconds since 1970, or a Julian day. */
  | 'seconds'
  | 'milliseconds'
  | 'julian'
  | 'json'
  | 'jsonb'
  | 'uuid'

/**
 * The form in which values of both sides are compared where another tool has filled the target and chosen its types
 * (validation/forms.ts).
 */
export type CompareForm = 'number' | 'boolean' | 'text' | 'bytes' | 'date' | 'time' | 'instant' | 'uuid'

/** A type that an admin may choose for a column, and how many of its values would then be rejected. */
export interface TypeOption {
  type: string
  render: Render
  /** Values that this type cannot hold. */
  refused: number
  /** Some of them, as text, at most 5 of at most 60 characters. */
  misfits: string[]
  /** The one form of the times that it holds. */
  shape?: TimeShape
  note?: string
}

export interface PlannedColumn {
  source: string
  target: string
  declaredType: string
  /** PostgreSQL type as written in DDL. */
  type: string
  nullable: boolean
  /** PostgreSQL expression. */
  default?: string
  /** Computed by PostgreSQL from other columns of the row, and never loaded. */
  generated?: { sql: string; targetSql: string; stored: boolean }
  evidence: ColumnEvidence
  render: Render
  /** SQL over the source, true for values that can be stored as chosen; rows with others are rejected. Absent: all can. */
  fits?: string
  /** SQLite literal that stands for NULL. */
  instead?: string
  /** Only in a plan to compare by. */
  compare?: CompareForm
  /** The types that can be chosen, the proposed one first; absent where the target's catalogue decides. */
  options?: TypeOption[]
  /** Some of its values, as text, at most 5 of at most 60 characters. */
  samples?: string[]
  /** Why the type is not what the declaration suggests, or what else an admin should know. */
  note?: string
}

export interface PlannedKey {
  name: string
  /** Target column names. */
  columns: string[]
}

export interface PlannedIndex {
  name: string
  unique: boolean
  /** A UNIQUE constraint of the table, not an index of its own. */
  constraint: boolean
  /** `expression` is what the key is in PostgreSQL where it isn't the column itself. */
  columns: { target: string; descending: boolean; expression?: string; nulls?: 'FIRST' | 'LAST' }[]
  /** As written in the source. */
  sql?: string
  /** As written in PostgreSQL. */
  targetSql?: string
  /** PostgreSQL predicate of a partial index. */
  where?: string
}

export type ForeignKeyAction = 'NO ACTION' | 'RESTRICT' | 'CASCADE' | 'SET NULL' | 'SET DEFAULT'

export interface PlannedForeignKey {
  name: string
  columns: string[]
  references: { table: string; columns: string[] }
  onDelete: ForeignKeyAction
  onUpdate: ForeignKeyAction
  deferred: boolean
  /** DEFERRABLE, but checked at once unless a transaction asks otherwise. */
  deferrable?: true
  /** Rows of the source that break it; such a key is added NOT VALID and stays so. */
  orphans: number
}

/** A CHECK; one that existing rows break is added NOT VALID and stays so, which holds for new rows alone. */
export interface PlannedCheck {
  name: string
  /** As written in the source. */
  sql: string
  /** As written in PostgreSQL. */
  targetSql: string
}

/** A view that gives the same rows; they stand in the order in which they are made. */
export interface PlannedView {
  /** In the source. */
  name: string
  target: string
  columns: string[]
  sql: string
  targetSql: string
}

/** A trigger with its function of the same name, made after the load. */
export interface PlannedTrigger {
  /** In the source. */
  name: string
  target: string
  /** Table or view in the source. */
  table: string
  sql: string
  targetSql: string
}

/** The column that gets its values from a sequence, and the last value given out in the source. */
export interface PlannedIdentity {
  column: string
  /** Larger of sqlite_sequence and max(column), decimal text; null for an empty table without either. */
  last: string | null
}

/** By what a table is cut into ranges. */
export type ScanKey =
  | { kind: 'rowid'; name: string; min: string; max: string }
  | { kind: 'key'; columns: string[]; descending: boolean }

export interface PlannedTable {
  source: string
  target: string
  rows: number
  /** Bytes of text and blobs with 8 a number: an estimate to share out work and to forecast. */
  bytes: number
  columns: PlannedColumn[]
  primaryKey: PlannedKey | null
  indexes: PlannedIndex[]
  foreignKeys: PlannedForeignKey[]
  checks?: PlannedCheck[]
  identity?: PlannedIdentity
  scan: ScanKey
  notes: string[]
}

export type NotCarriedKind =
  | 'view'
  | 'trigger'
  | 'virtual table'
  | 'generated column'
  | 'check'
  | 'index'
  | 'foreign key'
  | 'default'
  | 'collation'
  | 'primary key'
  | 'conflict clause'
  | 'column'
  | 'table'

/** Something of the source that does not reach the target, listed before the start. */
export interface NotCarried {
  kind: NotCarriedKind
  name: string
  reason: string
  sql?: string
}

/**
 * 'create' makes the tables; 'existing' fills empty tables whose types come from the target's catalogue;
 * 'compare' takes them from there too, and writes nothing.
 */
export type Mode = 'create' | 'existing' | 'compare'

export interface SourceFacts {
  file: string
  sizeBytes: number
  /** Version of the SQLite library that reads it. */
  sqliteVersion: string
  journalMode: string
  encoding: string
  /** Which of its states was planned, or is copied. */
  mark?: SourceMark
}

/** By what a state of the source is known again. */
export interface SourceMark {
  /** Hash of the statements that made its tables. */
  tables: string
  /** Identity, size and time of the file and its write-ahead log. */
  files: string
}

/**
 * What an admin wants other than proposed; the file that the page saves and the command line takes. Tables and
 * columns by their names in the source; what is not named stays as proposed.
 */
export interface Choices {
  version: 1
  /** More rejected rows than this stop the run. */
  rejects?: RejectLimits
  tables?: Record<string, TableChoice>
  /** Views and triggers that are left out although they could be carried, by name. */
  leaveOut?: string[]
}

export interface RejectLimits {
  perTable: number
  perRun: number
}

export interface TableChoice {
  exclude?: true
  /** Name in the target. */
  target?: string
  /** Virtual tables are left out unless this asks for their rows in a plain table. */
  plain?: true
  columns?: Record<string, ColumnChoice>
}

export interface ColumnChoice {
  exclude?: true
  target?: string
  /** One of the column's options. */
  type?: string
  /** 'keep': as in the source. 'reject': NOT NULL, rows with NULL are rejected. 'default': NOT NULL, NULL becomes the default. */
  nulls?: 'keep' | 'reject' | 'default'
}

/** A row that cannot be stored as planned. */
export interface RejectedRow {
  table: string
  /** Key in the source as text: `id = 7`. */
  key: string
  /** Source name of the column; null where the server named none. */
  column: string | null
  /** As text, at most 200 characters; blobs in hexadecimal. */
  value: string | null
  reason: string
  /** The key as the engine reads the source by it. */
  position?: string
}

export interface Plan {
  source: SourceFacts
  schema: string
  mode: Mode
  tables: PlannedTable[]
  views?: PlannedView[]
  triggers?: PlannedTrigger[]
  notCarried: NotCarried[]
}

export type Phase = 'preflight' | 'plan' | 'schema' | 'transfer' | 'build' | 'validate'

export type TableState = 'waiting' | 'running' | 'done'

export interface TableProgress {
  table: string
  rowsTotal: number
  read: number
  /** Rows in committed batches. */
  written: number
  rejected: number
  /** Bytes sent. */
  bytes: number
  rowsPerSecond: number
  /** Optimistic and pessimistic seconds to the end of the table; null until there is a rate. */
  etaSeconds: [low: number, high: number] | null
  state: TableState
}

export interface ColumnValidation {
  column: string
  ok: boolean
  /** Values that are not NULL, and their sum, their bytes or a checksum: `2,999,980 · 4500001500000`. */
  source: string
  target: string
}

/** One row as both sides hold it, as text; `missing` names the side that has no such row. */
export interface RowDifference {
  /** By names of the source: `id = 7`. */
  key: string
  missing?: 'source' | 'target'
  columns: { column: string; source: string | null; target: string | null; differs: boolean }[]
}

export interface TableValidation {
  table: string
  sourceRows: number
  targetRows: number
  columns: ColumnValidation[]
  ok: boolean
  /** The row where the sides first differ, in one line. */
  firstDifference?: string
  /** The same row side by side. */
  difference?: RowDifference
}

export interface Validation {
  ok: boolean
  tables: TableValidation[]
  /** Keys, foreign keys and sequences: what was checked and what is wrong. */
  checks: Check[]
  /** True when something was committed to the source after the snapshot that was copied. */
  sourceChanged: boolean
}

export interface PhaseTime {
  phase: Phase
  milliseconds: number
}

export interface RunReport {
  runId: string
  source: SourceFacts
  /** Without the password. */
  target: Omit<Target, 'password'>
  mode: Mode
  startedAt: number
  finishedAt: number
  phases: PhaseTime[]
  /** From the first COPY begun to the last committed, this attempt only. */
  transferMilliseconds: number
  rows: number
  bytes: number
  tables: TableProgress[]
  checks: Check[]
  validation: Validation
  /** Rows that were not stored; the reject file holds them. */
  rejected: number
  notCarried: NotCarried[]
  plan: Plan
}

/** Why a run or a question ended; each has a remedy in the message that carries it. */
export type FailureCode =
  | 'SOURCE_UNREADABLE'
  | 'SOURCE_NOT_SQLITE'
  | 'SOURCE_CORRUPT'
  | 'SOURCE_BUSY'
  | 'SOURCE_CHANGED'
  | 'TARGET_UNREACHABLE'
  | 'TARGET_AUTHENTICATION'
  | 'TARGET_RIGHTS'
  | 'TARGET_LOST'
  | 'TARGET_NOT_EMPTY'
  | 'TARGET_MISMATCH'
  | 'TARGET_FULL'
  | 'TARGET_BUSY'
  | 'TARGET_READ_ONLY'
  | 'PREFLIGHT_RED'
  | 'VALUE_REFUSED'
  | 'VALIDATION_RED'
  | 'REJECTS_EXCEEDED'
  | 'CHOICES_INVALID'
  | 'RUN_ACTIVE'
  | 'RUN_UNKNOWN'
  | 'RUN_FINISHED'
  | 'CANCELLED'
  | 'WORKER_LOST'
  | 'INTERNAL'

export interface Failure {
  code: FailureCode
  message: string
  remedy: string
  table?: string
  column?: string
  /** The run's committed batches stand, and it can be resumed or cancelled. */
  resumable: boolean
  /** The cause can go away without anybody changing the run: it is tried again by itself. */
  heals?: boolean
  /** Tries in a row that ended so without a row more in the target, and when the next one begins, UTC milliseconds. */
  attempts?: number
  retryAt?: number
}

/** What a run is: everything the worker needs. `plan` absent: preflight and plan are made first. */
export interface Job {
  runId: string
  source: string
  target: Target
  mode: Mode
  plan?: Plan
  /** What was chosen other than the proposal; counts while there is no plan. */
  choices?: Choices
  /** What an earlier plan found; used while the source is as it was. */
  kept?: KeptEvidence
  /** Note writes to the source while the copy goes on, and apply them. */
  capture?: boolean
  /** Rows that a finished run rejected, for comparing again: its bookkeeping in the target is gone then. */
  rejected?: RejectedRow[]
  /** Source tables left out, such as a migration tool's own bookkeeping. */
  exclude?: string[]
  /** Threads that read and load; default: the cores, at most 4, and fewer for a small source. */
  workers?: number
}

/** What a worker reports. `at` is UTC milliseconds. */
export type RunEvent = { at: number; runId: string } & (
  | { type: 'phase'; phase: Phase; state: 'started' | 'finished'; milliseconds?: number }
  | { type: 'check'; check: Check }
  /** `kept`: what a run that was only planned can be planned anew from. */
  | { type: 'plan'; plan: Plan; kept?: KeptEvidence }
  /** All tables, never going back; `done` and `total` count rows in transfer and validate, steps in build. */
  | { type: 'progress'; phase: Phase; done: number; total: number; tables: TableProgress[] }
  /** Rows of one table, committed together. */
  | { type: 'batch'; table: string; rows: number; bytes: number; milliseconds: number }
  /** Keys of the source that were written to and not brought over yet, and when the last were. */
  | { type: 'lag'; keys: number; appliedAt: number }
  /** The source takes no writes any more and both sides are the same; tables that could not be closed by name. */
  | { type: 'cutOver'; blockedAt: number; milliseconds: number; keys: number; unblocked: string[] }
  | { type: 'log'; level: 'info' | 'warn'; message: string }
  /** Rows that were not stored. `first`: all come anew, as where the copy begins or goes on, and before 'done'. */
  | { type: 'rejects'; rows: RejectedRow[]; first?: true }
  | { type: 'table'; validation: TableValidation }
  | { type: 'validation'; validation: Validation }
  /** Stopped at a committed batch; the worker waits for resume or cancel. */
  | { type: 'paused'; reason: string }
  | { type: 'resumed' }
  /** Between two tries of a run that heals by itself: `failure.retryAt` says when the next one begins. */
  | { type: 'waiting'; failure: Failure }
  | { type: 'cancelled' }
  | { type: 'done'; report: RunReport }
  | { type: 'failed'; failure: Failure; report?: RunReport }
)

/** The part of an event that its maker knows; the worker adds time and run. */
type WithoutStamp<E> = E extends RunEvent ? Omit<E, 'at' | 'runId'> : never
export type RunNews = WithoutStamp<RunEvent>

/** What the parent sends. The first message is one of those with a job. */
export type WorkerCommand =
  /** Checks only; ends with 'checks'. */
  | { type: 'preflight'; job: Job }
  /** Reads the rows and proposes a plan; ends with a plan event. */
  | { type: 'plan'; job: Job }
  | { type: 'start'; job: Job }
  /** Continues a run that another process began, from its checkpoints in the target. */
  | { type: 'resume'; job: Job }
  /** With a job: undoes a run that no process works on any more. Without: the one at work here. */
  | { type: 'cancel'; job?: Job }
  /** Compares both sides again. */
  | { type: 'validate'; job: Job }
  /** Brings over what is noted, again and again, until it is told to stop. */
  | { type: 'follow'; job: Job }
  /** Closes the source to its application, and compares both sides. */
  | { type: 'cutOver'; job: Job }
  /** Opens a source again that was closed so. */
  | { type: 'reopen'; job: Job }
  /** Takes the capture out of the source. */
  | { type: 'leave'; job: Job }
  | { type: 'pause' }
  | { type: 'continue' }
  /** The parent has kept the result: the run's bookkeeping in the target may go. */
  | { type: 'acknowledge' }
