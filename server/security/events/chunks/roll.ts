import { eq, max, min } from 'drizzle-orm'
import type { Store } from '@/db/store'
import { severities } from '@/server/audit/severity'
import { DAY, HOUR } from '../steps'
import { type Columns, chunkOf, decode, encode, outcomes, startOf } from './columns'
import { type Count, type Rolled, readRolled, rollStep } from './roll-units'
import { buildColumns } from './shelf'
import { bloomOf, keysOf } from './values'

interface Ends {
  pruned: number
  last: number
}

/**
 * Takes the next step of the roll-up, if there is one: counts and writes a chunk that is full, or takes out what was
 * pruned. Each step is whole or did not happen, and happens once however many instances try. Answers whether to go on.
 */
export async function rollOn(store: Store): Promise<boolean> {
  const [rolled, ends] = await Promise.all([readRolled(store), readEnds(store)])
  if (ends.pruned > rolled.pruned) return takeOut(store, rolled, ends)
  // The next chunk is full once a number beyond it is there, since numbers are committed in their order.
  if (ends.last < startOf(rolled.chunks + 1)) return false
  const columns = await buildColumns(store, rolled.chunks)
  const after = { ...rolled, chunks: rolled.chunks + 1 }
  const counts = countsOf(columns, () => 1)
  const write = columns.events > 0 ? await recordOf(columns) : undefined
  await store.run(rollStep, { before: rolled, after, counts, write })
  return true
}

/** Whether there is a next step. */
export async function isDue(store: Store): Promise<boolean> {
  const [rolled, ends] = await Promise.all([readRolled(store), readEnds(store)])
  return ends.pruned > rolled.pruned || ends.last >= startOf(rolled.chunks + 1)
}

/** Whether something was pruned that is still counted. */
export async function isBehindPruning(store: Store): Promise<boolean> {
  const [rolled, ends] = await Promise.all([readRolled(store), readEnds(store)])
  return ends.pruned > rolled.pruned
}

async function readEnds({ db, tables: { auditEvents: at } }: Store): Promise<Ends> {
  const [ends] = await db.select({ first: min(at.seq), last: max(at.seq) }).from(at)
  const last = Number(ends?.last ?? 0)
  return { pruned: last === 0 ? 0 : Number(ends?.first) - 1, last }
}

async function takeOut(store: Store, rolled: Rolled, ends: Ends): Promise<boolean> {
  const id = chunkOf(rolled.pruned + 1)
  const until = Math.min(ends.pruned, startOf(id + 1))
  const after = { ...rolled, pruned: until }
  // What was never counted need not be taken out.
  if (id >= rolled.chunks)
    return store.run(rollStep, { before: rolled, after: { ...rolled, pruned: ends.pruned }, counts: [] })
  const { eventChunks: at } = store.tables
  const [row] = await store.db.select({ data: at.data }).from(at).where(eq(at.id, id))
  const columns = row && (await decode(id, row.data))
  const start = startOf(id)
  const gone = (seq: number) => (seq > rolled.pruned && seq <= until ? -1 : 0)
  const counts = columns ? countsOf(columns, (place) => gone(start + (columns.places[place] as number))) : []
  const remove = until === startOf(id + 1) ? id : undefined
  await store.run(rollStep, { before: rolled, after, counts, remove })
  return true
}

async function recordOf(columns: Columns) {
  const { id, events, minTime, maxTime } = columns
  const values = Buffer.from(bloomOf(keysOf(columns))).toString('base64')
  return { id, events, minTime, maxTime, values, data: await encode(columns) }
}

function countsOf(columns: Columns, weight: (place: number) => number): Count[] {
  const counts = new Map<string, Count>()
  const { event, source } = columns.texts
  for (let place = 0; place < columns.events; place++) {
    const events = weight(place)
    if (events === 0) continue
    const time = columns.times[place] as number
    const kind = [
      event.codes[place],
      columns.outcomes[place],
      columns.severities[place],
      source.codes[place],
    ].join(':')
    for (const step of [HOUR, DAY]) {
      const at = Math.floor(time / step) * step
      const key = `${step}:${at}:${kind}`
      const known = counts.get(key)
      if (known) known.events += events
      else
        counts.set(key, {
          ...{ step, at, events },
          event: event.values[event.codes[place] as number] ?? '',
          outcome: outcomes[columns.outcomes[place] as number] ?? 'success',
          severity: severities[columns.severities[place] as number] ?? 'info',
          source: source.values[source.codes[place] as number] ?? null,
        })
    }
  }
  return [...counts.values()]
}
