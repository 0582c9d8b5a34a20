import { asc, gt } from 'drizzle-orm'
import type { openAuditWriter } from '@/server/audit'
import { createEngine, evaluate, threatColumns } from '@/server/security'
import { median } from '../measure'

type Store = Parameters<typeof openAuditWriter>[0]['store']

const BATCH = 500
const ROUNDS = 5

/** Microseconds of processor time that all rules take for one of the latest `count` events; the median of five rounds. */
export async function measureRules(store: Store, last: number, count: number): Promise<number> {
  const { auditEvents: at } = store.tables
  const rows = await store.db
    .select(threatColumns(store))
    .from(at)
    .where(gt(at.seq, last - count))
    .orderBy(asc(at.seq))
  const times: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const engine = createEngine()
    let hits = 0
    const cpu = process.cpuUsage()
    for (let from = 0; from < rows.length; from += BATCH)
      hits += evaluate(engine, rows.slice(from, from + BATCH)).length
    const { user, system } = process.cpuUsage(cpu)
    times.push((user + system) / rows.length)
    console.log(`  ${(times.at(-1) ?? 0).toFixed(1)} µs an event, ${hits} hits in ${rows.length} events`)
  }
  return median(times)
}
