import type { TableProgress } from '../types'

interface Sample {
  at: number
  rows: number
}

/** Seconds over which a rate is taken. */
const WINDOW_MS = 10_000

/** Follows rows and bytes of each table; what it shows never goes back. */
export interface Meter {
  /** Begins again at what an earlier attempt committed. */
  begin(table: string, written: number, rejected: number, bytes: number): void
  add(table: string, news: { read?: number; written?: number; rejected?: number; bytes?: number }): void
  tables(): TableProgress[]
  totals(): { done: number; total: number; bytes: number }
}

export function openMeter(
  clock: { now(): number },
  tables: readonly { name: string; rows: number }[],
): Meter {
  const state = new Map(
    tables.map(({ name, rows }) => [
      name,
      { total: rows, read: 0, shownRead: 0, written: 0, rejected: 0, bytes: 0, samples: [] as Sample[] },
    ]),
  )

  function show(name: string): TableProgress {
    const one = state.get(name) as NonNullable<ReturnType<typeof state.get>>
    const settled = one.written + one.rejected
    const total = Math.max(one.total, settled)
    const done = settled >= one.total && one.read >= one.total
    const rates = ratesOf(one.samples)
    const left = total - one.shownRead
    return {
      table: name,
      rowsTotal: total,
      read: one.shownRead,
      written: one.written,
      rejected: one.rejected,
      bytes: one.bytes,
      rowsPerSecond: Math.round(rates.mean),
      etaSeconds: done
        ? [0, 0]
        : rates.low > 0
          ? [Math.ceil(left / rates.high), Math.ceil(left / rates.low)]
          : null,
      state: done ? 'done' : one.read > 0 ? 'running' : 'waiting',
    }
  }

  return {
    begin(table, written, rejected, bytes) {
      const one = state.get(table)
      if (!one) return
      one.read = written + rejected
      one.written = written
      one.rejected = rejected
      one.shownRead = Math.max(one.shownRead, one.read)
      one.bytes = bytes
    },
    add(table, { read = 0, written = 0, rejected = 0, bytes = 0 }) {
      const one = state.get(table)
      if (!one) return
      one.read += read
      one.written += written
      one.rejected += rejected
      one.bytes += bytes
      one.shownRead = Math.max(one.shownRead, one.read)
      const at = clock.now()
      one.samples.push({ at, rows: one.read })
      while (one.samples.length > 2 && (one.samples[0] as Sample).at < at - WINDOW_MS) one.samples.shift()
    },
    tables: () => [...state.keys()].map(show),
    totals() {
      const all = [...state.keys()].map(show)
      return {
        done: all.reduce((sum, one) => sum + one.read, 0),
        total: all.reduce((sum, one) => sum + one.rowsTotal, 0),
        bytes: all.reduce((sum, one) => sum + one.bytes, 0),
      }
    },
  }
}

/** Mean over the window, and the slower and faster of its halves as a range. */
function ratesOf(samples: Sample[]): { mean: number; low: number; high: number } {
  const first = samples[0]
  const last = samples.at(-1)
  if (!first || !last || last.at <= first.at) return { mean: 0, low: 0, high: 0 }
  const rate = (a: Sample, b: Sample) => (b.at > a.at ? ((b.rows - a.rows) * 1000) / (b.at - a.at) : 0)
  const mean = rate(first, last)
  const middle = samples[samples.length >> 1] as Sample
  const halves = [rate(first, middle), rate(middle, last), mean].filter((value) => value > 0)
  return { mean, low: Math.min(...halves), high: Math.max(...halves) }
}
