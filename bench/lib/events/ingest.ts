import { asc, gt } from 'drizzle-orm'
import { type AuditEvent, type openAuditWriter, recordAuditBatch, verifyRows } from '@/server/audit'

type Store = Parameters<typeof openAuditWriter>[0]['store']

/** Signs the events. */
interface Key {
  id: string
  key: Uint8Array
}

const writers = 4
const batch = 500

/**
 * Appends for so many seconds by four writers, each a batch at a time, acknowledged after its commit, and verifies
 * the chain of all that was appended. Throws when it does not verify.
 */
export async function measureIngest(
  store: Store,
  key: Key,
  events: readonly AuditEvent[],
  seconds = 10,
): Promise<number> {
  const before = await headOf(store)
  const cpu = process.cpuUsage()
  const begun = performance.now()
  const done = await Promise.all(
    Array.from({ length: writers }, async (_, writer) => {
      let count = 0
      for (let at = writer * batch; performance.now() - begun < seconds * 1_000; at += writers * batch) {
        const from = at % Math.max(1, events.length - batch)
        const now = Date.now()
        await store.run(
          recordAuditBatch,
          events.slice(from, from + batch).map((event) => ({ ...event, time: now })),
        )
        count += batch
      }
      return count
    }),
  )
  const took = performance.now() - begun
  const { user, system } = process.cpuUsage(cpu)
  const count = done.reduce((sum, each) => sum + each)
  await verify(store, key, before)
  const perSecond = Math.round(count / (took / 1_000))
  console.log(
    `  ${count.toLocaleString('en')} events, ${perSecond.toLocaleString('en')} a second,`,
    `${((user + system) / count).toFixed(1)} µs of CPU each here; the chain of them verifies`,
  )
  return perSecond
}

async function headOf({ db, tables }: Store) {
  const [head] = await db.select().from(tables.auditHead)
  if (!head) throw new Error('The log has no head.')
  return head
}

async function verify(store: Store, key: Key, before: { seq: number; hash: string }): Promise<void> {
  const { auditEvents: at } = store.tables
  const head = await headOf(store)
  let after = { seq: before.seq, hash: before.hash }
  while (after.seq < head.seq) {
    const rows = await store.db
      .select()
      .from(at)
      .where(gt(at.seq, after.seq))
      .orderBy(asc(at.seq))
      .limit(5_000)
    const last = rows.at(-1)
    if (!last) throw new Error(`The log ends at ${after.seq}, not at ${head.seq}.`)
    const breaks = verifyRows(rows, { key: (id) => (id === key.id ? key.key : undefined), after })
    if (breaks[0]) throw new Error(`The chain does not verify: ${JSON.stringify(breaks[0])}`)
    after = { seq: last.seq, hash: last.hash }
  }
  if (after.hash !== head.hash) throw new Error('The chain does not end at its head.')
}
