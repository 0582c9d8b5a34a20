import type { RunProgress } from './runs'
import type { Phase, TableProgress } from './types'

/** What a worker says about its progress. */
export interface ProgressNews {
  phase: Phase
  done: number
  total: number
  tables: TableProgress[]
}

interface Sample {
  at: number
  done: number
}

/** Rates of the last seconds tell how fast a run is and how much that varies. */
const WINDOW_MS = 15_000
const APART_MS = 1_000

/** Follows the progress of one run: it never goes back within a phase, also when a worker was replaced. */
export function followProgress(kept: RunProgress | null): (news: ProgressNews, at: number) => RunProgress {
  let last = kept
  let samples: Sample[] = []
  return (news, at) => {
    const same = last?.phase === news.phase ? last : null
    if (!same) samples = []
    const done = Math.max(news.done, same?.done ?? 0)
    const newest = samples.at(-1)
    if (!newest || at - newest.at >= APART_MS) samples.push({ at, done })
    samples = samples.filter((sample) => at - sample.at <= WINDOW_MS)
    const before = new Map(last?.tables.map((table) => [table.table, table]))
    last = {
      phase: news.phase,
      done,
      total: Math.max(news.total, done),
      ...forecast(samples, { at, done }, Math.max(news.total, done)),
      // Build has steps and no tables: those of the transfer stay.
      tables:
        news.tables.length === 0
          ? (last?.tables ?? [])
          : news.tables.map((table) => notBack(table, same && before.get(table.table))),
      at,
    }
    return last
  }
}

/** The rate over the window; the range of the end by the fastest and slowest second in it. */
function forecast(
  samples: Sample[],
  now: Sample,
  total: number,
): Pick<RunProgress, 'perSecond' | 'etaSeconds'> {
  const first = samples[0]
  if (!first || now.at - first.at < APART_MS) return { perSecond: null, etaSeconds: null }
  const perSecond = ((now.done - first.done) / (now.at - first.at)) * 1000
  if (perSecond <= 0) return { perSecond, etaSeconds: null }
  const left = total - now.done
  const rates = samples.slice(1).map((sample, i) => {
    const earlier = samples[i] as Sample
    return ((sample.done - earlier.done) / (sample.at - earlier.at)) * 1000
  })
  const fastest = Math.max(perSecond, ...rates)
  const slowest = Math.max(Math.min(perSecond, ...rates), perSecond / 4)
  return { perSecond, etaSeconds: [left / fastest, left / slowest] }
}

function notBack(table: TableProgress, before: TableProgress | null | undefined): TableProgress {
  if (!before) return table
  return {
    ...table,
    read: Math.max(table.read, before.read),
    written: Math.max(table.written, before.written),
    bytes: Math.max(table.bytes, before.bytes),
  }
}
