/** What the database tells about itself and all its clients; one shape on both dialects. Times are UTC ms. */

/** Why a part of the page is empty: what is missing, and what an operator does about it. */
export interface Missing {
  /** `not-enabled`: an extension or setting; `no-permission`: a right of the role; `not-here`: SQLite has no such thing. */
  kind: 'not-enabled' | 'no-permission' | 'not-here'
  message: string
  /** A statement or setting that mends it; null where there is none. */
  remedy: string | null
}

/** One client session of the server. */
export interface ServerSession {
  pid: number
  /** When the backend began: with the pid it names one session. Null where the role may not see it, nor end it. */
  startedAt: number | null
  user: string | null
  application: string
  database: string | null
  /** Address, or null for a local socket. */
  client: string | null
  state: 'active' | 'idle' | 'idle in transaction' | 'idle in transaction (aborted)' | 'other'
  /** What it waits for, such as `Lock: transactionid`; null when it waits for nothing. */
  waitsFor: string | null
  /** The statement that runs or ran last, with its values cut out; null where the role may not see it. */
  statement: string | null
  transactionStartedAt: number | null
  statementStartedAt: number | null
  /** Sessions whose locks it waits for; 0 is a prepared transaction. */
  blockedBy: number[]
  /** Whether it is one of this process's own connections. */
  ours: boolean
}

export interface ServerSessions {
  sessions: ServerSession[]
  /** Set where the role sees only its own sessions, or on SQLite. */
  missing: Missing | null
}

/** One normalised statement, over all its calls. */
export interface StatementFigures {
  /** Hex digest of the normalised text: the same on every instance and after a restart. */
  fingerprint: string
  /** Values replaced: no data of anybody is in it. */
  text: string
  calls: number
  /** Milliseconds. */
  totalMs: number
  meanMs: number
  maxMs: number | null
  rows: number | null
  errors: number | null
  /** Share of block reads that the server's cache answered; null where unknown. */
  cacheHitRatio: number | null
  /** This statement's share of the time of all. */
  share: number
}

export interface Statements {
  /** `pg_stat_statements`: all clients of the database. `own`: what this console sent since its start. */
  source: 'pg_stat_statements' | 'own'
  since: number | null
  /** By total time, the most first. */
  statements: StatementFigures[]
  missing: Missing | null
}

export interface StatementPlan {
  /** As the database writes it; for PostgreSQL the generic plan, without running the statement. */
  plan: string | null
  /** Why there is none. */
  because: string | null
}

export interface TableFigures {
  schema: string | null
  name: string
  /** Estimated rows. */
  rows: number | null
  /** Table with TOAST, and its indexes. */
  tableBytes: number
  indexBytes: number
  /** The sizes are from the last VACUUM, or a sample's: a lock is held on it, or it is too large to be gone through. */
  estimated?: boolean
  deadRows: number | null
  /** Dead rows at which autovacuum starts. */
  vacuumAt: number | null
  lastVacuumAt: number | null
  lastAnalyzeAt: number | null
  sequentialScans: number | null
  indexScans: number | null
  inserts: number | null
  updates: number | null
  deletes: number | null
  indexes: IndexFigures[]
}

export interface IndexFigures {
  name: string
  ddl: string
  bytes: number
  /** Reads since the statistics were reset; null where unknown. */
  scans: number | null
  unique: boolean
  primary: boolean
  valid: boolean
}

/** The server's state beyond its tables: what an operator looks at before an incident. */
export interface ServerFacts {
  longTransactions: {
    pid: number
    user: string | null
    application: string
    startedAt: number
    statement: string | null
  }[]
  /** Oldest transaction id of any database, as a share of the way to wraparound (2^31). */
  wraparound: { database: string; age: number; share: number } | null
  slots: { name: string; type: string; active: boolean; retainedBytes: number | null }[]
  walBytes: number | null
  /** Replicas as the primary sees them (pg_stat_replication). */
  followers: {
    application: string
    address: string | null
    state: string
    sync: string
    /** Bytes of WAL that it has not replayed yet. */
    lagBytes: number | null
  }[]
  missing: Missing | null
}

/** What one maintenance run did. */
export interface Maintained {
  /** One sentence for the reader. */
  message: string
  milliseconds: number
}

/** `analyze` renews statistics; `checkpoint` folds SQLite's WAL into its file; `optimize` is PRAGMA optimize. */
export type Maintenance = 'analyze' | 'checkpoint' | 'optimize'

/** Reads and few, careful changes on the database under the store. Every call has a deadline of its own. */
export interface Inspector {
  sessions(): Promise<ServerSessions>
  /** Cancels the statement, or ends the session, of exactly this backend. False when it has gone. */
  cancel(target: { pid: number; startedAt: number }): Promise<boolean>
  terminate(target: { pid: number; startedAt: number }): Promise<boolean>
  statements(): Promise<Statements>
  /** Throws NOT_FOUND for a statement that is not in `statements()`. */
  plan(fingerprint: string): Promise<StatementPlan>
  tables(): Promise<{ tables: TableFigures[]; missing: Missing | null }>
  server(): Promise<ServerFacts>
  maintain(what: Maintenance): Promise<Maintained>
}
