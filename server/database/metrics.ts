import { databaseCode } from '@/db/errors'
import { addCounts, Histogram, type HistogramCounts } from '@/server/histogram'

/** Everything that is counted about one database since it was opened. */
export class DatabaseMetrics {
  queries = 0
  /** Failed statements by SQLSTATE or SQLITE_ code; `OTHER` for errors without one. */
  readonly errors = new Map<string, number>()
  /** Connections that could not be made, or that broke while nobody used them. */
  connectionFailures = 0
  connectionsOpened = 0
  connectionsClosed = 0
  /** Callers that gave up waiting for a connection, and those who were refused because the queue was full. */
  acquireTimeouts = 0
  queueRefusals = 0
  /** Statements whose callers were refused at their deadline. */
  statementTimeouts = 0
  /** Connections that were borrowed and not given back in time. */
  leaks = 0
  readonly queryTime = new Histogram()
  readonly waitTime = new Histogram()

  /** Counts one statement that took `milliseconds`, and its error if it had one. */
  statement(milliseconds: number, error?: unknown): void {
    this.queries++
    this.queryTime.record(milliseconds)
    if (error === undefined) return
    const code = databaseCode(error) ?? 'OTHER'
    this.errors.set(code, (this.errors.get(code) ?? 0) + 1)
  }

  counts(): DatabaseCounts {
    return {
      queries: this.queries,
      errors: Object.fromEntries(this.errors),
      connectionFailures: this.connectionFailures,
      connectionsOpened: this.connectionsOpened,
      connectionsClosed: this.connectionsClosed,
      acquireTimeouts: this.acquireTimeouts,
      queueRefusals: this.queueRefusals,
      statementTimeouts: this.statementTimeouts,
      leaks: this.leaks,
      queryTime: this.queryTime.counts(),
      waitTime: this.waitTime.counts(),
    }
  }
}

/** What several pools counted together. */
export function sumOf(all: readonly DatabaseCounts[]): DatabaseCounts {
  const [first, ...others] = all
  if (!first) return new DatabaseMetrics().counts()
  return others.reduce((sum, counts): DatabaseCounts => {
    const number = (of: Counted) => sum[of] + counts[of]
    const errors = { ...sum.errors }
    for (const [code, count] of Object.entries(counts.errors)) errors[code] = (errors[code] ?? 0) + count
    return {
      errors,
      queries: number('queries'),
      connectionFailures: number('connectionFailures'),
      connectionsOpened: number('connectionsOpened'),
      connectionsClosed: number('connectionsClosed'),
      acquireTimeouts: number('acquireTimeouts'),
      queueRefusals: number('queueRefusals'),
      statementTimeouts: number('statementTimeouts'),
      leaks: number('leaks'),
      queryTime: addCounts(sum.queryTime, counts.queryTime),
      waitTime: addCounts(sum.waitTime, counts.waitTime),
    }
  }, first)
}

type Counted = {
  [K in keyof DatabaseCounts]: DatabaseCounts[K] extends number ? K : never
}[keyof DatabaseCounts]

export interface DatabaseCounts {
  queries: number
  errors: Record<string, number>
  connectionFailures: number
  connectionsOpened: number
  connectionsClosed: number
  acquireTimeouts: number
  queueRefusals: number
  statementTimeouts: number
  leaks: number
  queryTime: HistogramCounts
  waitTime: HistogramCounts
}
