/** How a server is reached and as whom. */
export interface PostgresConfig {
  host: string
  port: number
  database: string
  user: string
  password: string
  /** true: encrypt and verify the certificate; 'no-verify': encrypt only; absent or false: plain. */
  ssl?: boolean | 'no-verify'
  /** Certificates of the authorities that are trusted, in PEM; absent: those of the system. */
  ca?: string
  /** `schema` first in search_path; absent: the server's default. */
  schema?: string
}

/** Whether statements are prepared by name: 'auto' does so unless a transaction pooler stands between. */
export type Prepared = 'auto' | 'on' | 'off'

export interface PoolConfig {
  min: number
  max: number
  /** Milliseconds a caller waits for a connection at most. */
  acquireTimeout: number
  /** Milliseconds after which an unused connection above `min` is closed. */
  idleTimeout: number
  /** Milliseconds for TCP, TLS and authentication of one connection. */
  connectTimeout?: number
  /** Milliseconds a statement may take before its caller is refused and it is cancelled; 0: no end. */
  queryTimeout?: number
  /** Callers that may wait at once; one more is refused. */
  maxWaiting?: number
  /** Milliseconds a connection lives, give or take a tenth, so that not all are renewed at once. */
  lifetime?: number
  /** Milliseconds after which a borrowed connection is reported as leaked; 0: never. */
  leakTimeout?: number
  prepared?: Prepared
  /** Prepared statements that one connection keeps; the one unused for longest goes. */
  maxPrepared?: number
  /** Where the server itself is reached when `host` is a pooler: for LISTEN, session locks and COPY. */
  direct?: { host: string; port: number } | undefined
  /** false: count nothing, to measure what counting costs. */
  metrics?: boolean
}

export interface PoolFigures {
  min: number
  max: number
  inUse: number
  idle: number
  waiting: number
}

/** How the pool speaks with its server, found out at the first connection. */
export interface PoolMode {
  /** A pooler such as PgBouncer stands between; null before the first connection. */
  pooler: boolean | null
  /** Statements are prepared by name. */
  prepared: boolean
  /** Several statements share one connection at once. */
  pipelined: boolean
  /** Session state (LISTEN, session locks) holds: there is no pooler, or a direct address is known. */
  sessions: boolean
}

export type FullConfig = PostgresConfig & Required<Omit<PoolConfig, 'direct'>> & Pick<PoolConfig, 'direct'>

export const DEFAULTS = {
  connectTimeout: 5_000,
  queryTimeout: 30_000,
  maxWaiting: 1_000,
  lifetime: 30 * 60_000,
  leakTimeout: 60_000,
  prepared: 'auto',
  maxPrepared: 256,
  metrics: true,
} as const satisfies Partial<PoolConfig>
