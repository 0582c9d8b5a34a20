import type { Quantiles } from '@/server/histogram'

/** Limits of one named pool of outbound HTTP. Times in milliseconds. */
export interface OutboundPool {
  name: string
  /** Connections to one origin at most. */
  connections: number
  connectTimeout: number
  headersTimeout: number
  bodyTimeout: number
  /** The whole call with its retries. */
  deadline: number
  keepAlive: number
  /** Callers that may wait for a connection to one origin. */
  maxWaiting: number
  maxResponseBytes: number
  retries: number
  /** Retries may be this share of calls: a budget against storms. */
  retryBudget: number
  /** Failures in a row that open the breaker of an origin, and how long it stays open. */
  breaker: { failures: number; openMs: number }
  /** Whether answers are cached as their Cache-Control allows. */
  cache: boolean
}

export type BreakerState = 'closed' | 'open' | 'half-open'

export interface OriginFigures {
  pool: string
  origin: string
  calls: number
  /** Answers by class, and calls without an answer by reason. */
  answers: { '2xx': number; '3xx': number; '4xx': number; '5xx': number }
  failures: { timeout: number; connection: number; tooLarge: number; refused: number; other: number }
  retries: number
  /** Retries that the budget did not allow. */
  retriesDenied: number
  cacheHits: number
  cacheRevalidated: number
  breaker: BreakerState
  /** UTC milliseconds. */
  breakerSince: number
  connections: { open: number; inUse: number; waiting: number }
  latency: Quantiles
  lastError: { message: string; at: number } | null
  lastCallAt: number | null
}

export interface OutboundReport {
  pools: OutboundPool[]
  origins: OriginFigures[]
  at: number
}
