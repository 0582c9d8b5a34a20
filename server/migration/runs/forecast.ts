import type { Phase, TableProgress } from '../types'
import type { RunProgress, TableFigures } from './run'
import { followSpeeds } from './speeds'

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
  /** Sent in the transfer. */
  bytes: number
}

/** Rates of the last seconds tell how fast a run is and how much that varies. */
const WINDOW_MS = 15_000
const APART_MS = 1_000

/** Follows the progress of one run: it never goes back within a phase, also when a worker was replaced. */
export function followProgress(kept: RunProgress | null): (news: ProgressNews, at: number) => RunProgress {
  let last = kept
  let samples: Sample[] = []
  const noteSpeed = followSpeeds(kept?.speeds)
  return (news, at) => {
    const same = last?.phase === news.phase ? last : null
    if (!same) samples = []
    const done = Math.max(news.done, same?.done ?? 0)
    const newest = samples.at(-1)
    const bytes = news.phase === 'transfer' ? news.tables.reduce((sum, table) => sum + table.bytes, 0) : 0
    if (!newest || at - newest.at >= APART_MS) samples.push({ at, done, bytes })
    samples = samples.filter((sample) => at - sample.at <= WINDOW_MS)
    const total = Math.max(news.total, done)
    last = {
      phase: news.phase,
      done,
      total,
      ...forecast(samples, { at, done, bytes }, total),
      speeds: news.phase === 'transfer' ? noteSpeed({ at, done, bytes, over: done >= total }) : last?.speeds,
      phases: { ...last?.phases, [news.phase]: [done, total] },
      tables: news.phase === 'transfer' ? transferred(news, last) : compared(news, last),
      at,
    }
    return last
  }
}

function transferred({ tables }: ProgressNews, last: RunProgress | null): TableFigures[] {
  const before = new Map(last?.tables.map((table) => [table.table, table]))
  return tables.map((table) => {
    const old = before.get(table.table)
    return {
      ...table,
      read: Math.max(table.read, old?.read ?? 0),
      written: Math.max(table.written, old?.written ?? 0),
      bytes: Math.max(table.bytes, old?.bytes ?? 0),
      compared: old?.compared ?? 0,
    }
  })
}

/** Validation reads what the transfer wrote, whose figures stay; build counts steps and has no tables. */
function compared({ phase, tables }: ProgressNews, last: RunProgress | null): TableFigures[] {
  const kept = last?.tables ?? []
  if (phase !== 'validate') return kept
  const now = new Map(tables.map((table) => [table.table, table.read]))
  return kept.map((table) => ({
    ...table,
    compared: Math.max(table.compared, now.get(table.table) ?? 0),
    etaSeconds: null,
  }))
}

/** The rate over the window; the range of the end by the fastest and slowest second in it. */
function forecast(
  samples: Sample[],
  now: Sample,
  total: number,
): Pick<RunProgress, 'perSecond' | 'bytesPerSecond' | 'etaSeconds'> {
  const first = samples[0]
  if (!first || now.at - first.at < APART_MS)
    return { perSecond: null, bytesPerSecond: null, etaSeconds: null }
  const perSecond = ((now.done - first.done) / (now.at - first.at)) * 1000
  const bytesPerSecond = (Math.max(0, now.bytes - first.bytes) / (now.at - first.at)) * 1000
  if (perSecond <= 0) return { perSecond, bytesPerSecond, etaSeconds: null }
  const left = total - now.done
  const rates = samples.slice(1).map((sample, i) => {
    const earlier = samples[i] as Sample
    return ((sample.done - earlier.done) / (sample.at - earlier.at)) * 1000
  })
  const fastest = Math.max(perSecond, ...rates)
  const slowest = Math.max(Math.min(perSecond, ...rates), perSecond / 4)
  return { perSecond, bytesPerSecond, etaSeconds: [left / fastest, left / slowest] }
}
