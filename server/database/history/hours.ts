import type { StatementFigures, Statements } from '../inspect/types'

export const HOUR_MS = 3_600_000
/** Statements of an hour that are kept: those with the most time. Below them each has a share of a percent. */
const KEPT = 50
/** Hours that wait in memory for a store that is away. */
const WAITING_HOURS = 24
/** Counters that were not read for this long tell nothing about a single hour any more. */
const STALE_MS = 10 * 60_000

/** What one statement did in one hour; times in microseconds. */
export interface Counted {
  calls: number
  total: number
  /** The longest call, where one outdid all before it. */
  longest: number | null
  rows: number | null
}

export interface HourRow extends Counted {
  fingerprint: string
  /** Begin of the hour. */
  at: number
}

type Source = Statements['source']

interface Base {
  at: number
  figures: Map<string, StatementFigures>
}

/**
 * Makes hours of counters that only grow. The difference between two readings goes to the hour of the later one;
 * counters that fell were reset and count from zero.
 */
export class Hours {
  readonly #bases = new Map<Source, Base>()
  readonly #hours = new Map<number, Map<string, Counted>>()
  readonly #written = new Map<number, Set<string>>()

  /** Counts what happened since the reading before. */
  add({ source, statements }: Pick<Statements, 'source' | 'statements'>, at: number): void {
    const former = this.#bases.get(source)
    const base = former && (source === 'own' || at - former.at <= STALE_MS) ? former.figures : undefined
    this.#bases.set(source, { at, figures: new Map(statements.map((one) => [one.fingerprint, one])) })
    // The server counted long before this process; what this process sent, it sent since it began.
    if (!base && source !== 'own') return
    const hour = this.#hour(at)
    for (const now of statements) {
      const before = base?.get(now.fingerprint)
      // A statement that just came into the server's list may have been counted for months.
      if (!before && source !== 'own') continue
      const grown = difference(now, before)
      if (grown.calls === 0 && grown.total === 0) continue
      const sum = hour.get(now.fingerprint)
      hour.set(now.fingerprint, sum ? added(sum, grown) : grown)
    }
  }

  /** Counters of another database, or that somebody else counted meanwhile: the next reading begins anew. */
  restart(source?: Source): void {
    if (source) this.#bases.delete(source)
    else this.#bases.clear()
  }

  /** Rows to write: of each hour the statements with most time, `pinned` ones, and those written before. */
  rows(pinned: ReadonlySet<string>): HourRow[] {
    return [...this.#hours].flatMap(([at, hour]) => {
      const before = this.#written.get(at)
      const most = [...hour].sort(([, a], [, b]) => b.total - a.total)
      return most
        .filter(([name], rank) => rank < KEPT || pinned.has(name) || before?.has(name))
        .map(([fingerprint, counted]) => ({ fingerprint, at, ...counted }))
    })
  }

  /** Notes that rows are in the store, and forgets hours that are over. */
  wrote(rows: readonly HourRow[], now: number): void {
    for (const { at, fingerprint } of rows) {
      const names = this.#written.get(at) ?? new Set()
      this.#written.set(at, names.add(fingerprint))
    }
    for (const at of [...this.#hours.keys()]) if (at + HOUR_MS <= now) this.#forget(at)
  }

  /** Hours of one statement as far as they are in memory. */
  of(fingerprint: string): HourRow[] {
    return [...this.#hours].flatMap(([at, hour]) => {
      const counted = hour.get(fingerprint)
      return counted ? [{ fingerprint, at, ...counted }] : []
    })
  }

  #hour(at: number): Map<string, Counted> {
    const begin = Math.floor(at / HOUR_MS) * HOUR_MS
    const known = this.#hours.get(begin)
    if (known) return known
    const made = new Map<string, Counted>()
    this.#hours.set(begin, made)
    while (this.#hours.size > WAITING_HOURS) this.#forget(Math.min(...this.#hours.keys()))
    return made
  }

  #forget(at: number): void {
    this.#hours.delete(at)
    this.#written.delete(at)
  }
}

function difference(now: StatementFigures, before: StatementFigures | undefined): Counted {
  const reset = !before || now.calls < before.calls || now.totalMs < before.totalMs
  const from = reset ? { calls: 0, totalMs: 0, rows: 0, maxMs: null } : before
  const outdone = now.maxMs !== null && now.maxMs > (from.maxMs ?? 0)
  return {
    calls: now.calls - from.calls,
    total: Math.round((now.totalMs - from.totalMs) * 1_000),
    longest: outdone ? Math.round((now.maxMs ?? 0) * 1_000) : null,
    rows: now.rows === null ? null : now.rows - (from.rows ?? 0),
  }
}

function added(a: Counted, b: Counted): Counted {
  const either = (x: number | null, y: number | null, join: (x: number, y: number) => number) =>
    x === null || y === null ? (x ?? y) : join(x, y)
  return {
    calls: a.calls + b.calls,
    total: a.total + b.total,
    longest: either(a.longest, b.longest, Math.max),
    rows: either(a.rows, b.rows, (x, y) => x + y),
  }
}
