import type { Events } from '@/server/security'
import { quantile } from '../load'
import { median } from '../measure'
import { filterSets } from './filters'

const DAY = 86_400_000
const ROUNDS = 7
const SERIES = ['outcome', 'severity', 'event'] as const

/** The 95th of a hundred first pages, over all filter sets, warm: each was asked for once before. */
export async function measureLists(events: Events, now: number): Promise<number> {
  const times: number[] = []
  const sets = filterSets(now)
  for (const { filter } of sets) await events.list({ ...filter, limit: 50 })
  for (const { name, filter } of sets) {
    const own: number[] = []
    let found = 0
    for (let round = 0; round < ROUNDS; round++) {
      const begun = performance.now()
      found = (await events.list({ ...filter, limit: 50 })).events.length
      own.push(performance.now() - begun)
    }
    times.push(...own)
    console.log(
      `  ${name.padEnd(36)} ${String(found).padStart(3)} events ${median(own).toFixed(1).padStart(8)} ms`,
    )
  }
  return quantile(times, 0.95)
}

/** The slowest histogram: of every filter set within seven days, and of everything. */
export async function measureHistograms(events: Events, now: number): Promise<number> {
  const sets = filterSets(now).map(({ name, filter }) => ({
    name,
    filter: { ...filter, from: filter.from && filter.from > now - 50 * DAY ? filter.from : now - 7 * DAY },
  }))
  const all = [...sets, { name: 'everything, over all', filter: {} }]
  let slowest = 0
  for (const [at, { name, filter }] of all.entries()) {
    const by = SERIES[at % SERIES.length] ?? 'outcome'
    const own: number[] = []
    let total = 0
    for (let round = 0; round <= ROUNDS; round++) {
      const begun = performance.now()
      total = (await events.histogram({ ...filter, by, buckets: 120 })).total
      if (round > 0) own.push(performance.now() - begun)
    }
    slowest = Math.max(slowest, median(own))
    console.log(
      `  ${name.padEnd(36)} ${total.toLocaleString('en').padStart(10)} events ${median(own).toFixed(1).padStart(8)} ms`,
    )
  }
  return slowest
}
