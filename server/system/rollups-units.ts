import { createHash } from 'node:crypto'
import { and, asc, eq, gte, inArray, lt } from 'drizzle-orm'
import type { Store } from '@/db/store'
import type { Tables } from '@/db/tables'
import { lockedIfFree, q, type Tx, unit, type Work } from '@/db/unit'
import type { MetricName } from './metrics'
import { combine, floorTo, levels, type Rollup } from './rollups'

type Row = Tables['metricRollups']['$inferSelect']

/** Rows that one unit removes: a batch takes a few milliseconds and waits on nobody. */
const BATCH = 500
/** Nine digits tell bytes and counts apart that a chart could not. */
const DIGITS = 9

/**
 * Writes minutes, and with each the longer steps that it lies in, so that a process that dies leaves all of them
 * as far as its minutes go. Writing the same minute again changes nothing.
 */
export const writeRollups = unit('rollups.write', function* (tx, { minutes }: { minutes: Rollup[] }) {
  const [first] = minutes
  if (!first) return
  const { metricRollups, meta } = tx.tables
  const names = namesKey(first.names)
  yield* q(
    tx.db
      .insert(meta)
      .values({ key: names, value: JSON.stringify(first.names) })
      .onConflictDoNothing(),
  )
  yield* q(tx.db.insert(metricRollups).values(minutes.map(toRow)).onConflictDoNothing())
  for (let i = 1; i < levels.length; i++) {
    const step = levels[i]?.step as number
    const begins = new Set(minutes.map(({ at }) => floorTo(at, step)))
    for (const at of begins) yield* renew(tx, first, { at, step, of: levels[i - 1]?.step as number })
  }
})

/** Makes one longer step anew from the shorter ones in it. */
function* renew(
  tx: Tx,
  { instance, names }: Rollup,
  { at, step, of }: { at: number; step: number; of: number },
): Work<void> {
  const { metricRollups } = tx.tables
  const within = and(
    eq(metricRollups.step, of),
    gte(metricRollups.at, at),
    lt(metricRollups.at, at + step),
    eq(metricRollups.instance, instance),
  )
  const parts = yield* q(tx.db.select().from(metricRollups).where(within))
  if (parts.length === 0) return
  const row = toRow(
    combine(
      parts.map((part) => toRollup(part, names)),
      step,
    ),
  )
  const { samples, firstAt, lastAt, values, queryTimes } = row
  yield* q(
    tx.db.insert(metricRollups).values(row).onConflictDoUpdate({
      target: metricRollups.id,
      set: { samples, firstAt, lastAt, values, queryTimes },
    }),
  )
}

/** Removes a batch of one step that is older than it is kept. Answers how many rows went. */
export const cleanRollups = unit(
  'rollups.clean',
  function* (tx, { step, before }: { step: number; before: number }) {
    const { metricRollups } = tx.tables
    const over = and(eq(metricRollups.step, step), lt(metricRollups.at, before))
    const rows = yield* q(
      lockedIfFree(
        tx.db
          .select({ id: metricRollups.id })
          .from(metricRollups)
          .where(over)
          .orderBy(asc(metricRollups.at))
          .limit(BATCH),
      ),
    )
    const ids = rows.map(({ id }) => id)
    if (ids.length > 0) yield* q(tx.db.delete(metricRollups).where(inArray(metricRollups.id, ids)))
    return ids.length
  },
)

/** Stored steps of every instance with `from` ≤ at < `to`, oldest first. */
export async function readRollups(
  store: Store,
  { step, from, to }: { step: number; from: number; to: number },
): Promise<Rollup[]> {
  const { metricRollups, meta } = store.tables
  const within = and(eq(metricRollups.step, step), gte(metricRollups.at, from), lt(metricRollups.at, to))
  const rows = await store.reads.select().from(metricRollups).where(within).orderBy(asc(metricRollups.at))
  const keys = [...new Set(rows.map(({ names }) => names))]
  if (keys.length === 0) return []
  const lists = await store.reads.select().from(meta).where(inArray(meta.key, keys))
  const known = new Map(lists.map(({ key, value }) => [key, JSON.parse(value) as MetricName[]]))
  const rollups: Rollup[] = []
  for (const [i, row] of rows.entries()) {
    const names = known.get(row.names)
    if (names) rollups.push(toRollup(row, names))
    // A month of several instances is some milliseconds of parsing: others get their turn in between.
    if (i % 250 === 249) await new Promise((resolve) => setImmediate(resolve))
  }
  return rollups
}

/** Key in `meta` of a list of names: rows of a release with other metrics stay readable. */
function namesKey(names: readonly MetricName[]): string {
  return `metric-names:${createHash('sha256').update(names.join()).digest('hex').slice(0, 16)}`
}

function toRow({
  instance,
  step,
  at,
  samples,
  firstAt,
  lastAt,
  names,
  mean,
  max,
  count,
  times,
}: Rollup): Row {
  const short = (value: number | null) => (value === null ? null : Number(value.toPrecision(DIGITS)))
  return {
    id: `${instance}:${step}:${at}`,
    ...{ instance, step, at, samples, firstAt, lastAt },
    names: namesKey(names),
    values: JSON.stringify([mean.map(short), max.map(short), count]),
    queryTimes: times && JSON.stringify(times),
  }
}

function toRollup(
  { instance, step, at, samples, firstAt, lastAt, values, queryTimes }: Row,
  names: readonly MetricName[],
): Rollup {
  const [mean, max, count] = JSON.parse(values) as [Rollup['mean'], Rollup['max'], number[]]
  const times = queryTimes === null ? null : (JSON.parse(queryTimes) as number[])
  return { instance, step, at, samples, firstAt, lastAt, names, mean, max, count, times }
}
