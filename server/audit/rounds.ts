import { and, asc, eq, gt } from 'drizzle-orm'
import type { Store } from '@/db/store'
import { q, unit } from '@/db/unit'
import type { Clock } from '@/server/clock'
import type { Log } from '@/server/log'
import { Repeating } from '@/server/repeating'
import { genesis } from './chain'
import { type Found, judge } from './judge'
import type { AuditKeys } from './keys'
import { Walk } from './walk'

export interface RoundsDeps {
  store: Store
  clock: Clock
  log: Log
  keys: Pick<AuditKeys, 'macs'>
  /** How far retention says that it has dropped events. */
  prunedTo(): Promise<number>
  /** Told of what does not fit, each time that it is seen. */
  broken(found: Found[]): void
}

/** Where the rounds over the log stand, for all instances. */
export interface RoundsState {
  /** Up to here everything fits, in this round. */
  seq: number
  hash: string
  /** When this round began, and when the last slice was looked at. */
  startedAt: number
  at: number
  /** The last round that came to the end of the log. */
  last: { startedAt: number; endedAt: number; to: number } | null
}

const DAY_MS = 86_400_000
/** A slice each time, by whichever instance comes first. */
const PERIOD_MS = 30_000
/** Events of a slice: what makes a round in a day, but no more than some hundredths of a core take. */
const LEAST = 500
const MOST = 5_000
/** Events that are checked in one turn of the event loop. */
const BATCH = 200

const key = 'audit-rounds'

const move = unit('audit.move-rounds', function* (tx, { from, to }: { from: string | null; to: string }) {
  const { meta } = tx.tables
  if (from === null) yield* q(tx.db.insert(meta).values({ key, value: to }).onConflictDoNothing())
  else
    yield* q(
      tx.db
        .update(meta)
        .set({ value: to })
        .where(and(eq(meta.key, key), eq(meta.value, from))),
    )
})

/**
 * Goes over the whole log again and again, a slice at a time: chain and HMACs of every event, about once a day, so that
 * a change of old events is found without anybody pressing a button. A log of more than 14 million events takes longer.
 */
export class Rounds {
  readonly #deps: RoundsDeps
  readonly #repeating: Repeating

  constructor(deps: RoundsDeps) {
    this.#deps = deps
    this.#repeating = new Repeating({
      ...{ period: PERIOD_MS, pace: 'begin-to-begin', tick: () => this.slice() },
      failed: (error, again) => {
        if (!again) deps.log.warn({ error }, 'old events of the audit log could not be looked at')
      },
    })
  }

  start(): void {
    this.#repeating.start()
  }

  close(): Promise<void> {
    return this.#repeating.stop()
  }

  async state(): Promise<RoundsState | null> {
    const value = await this.#read()
    return value === null ? null : (JSON.parse(value) as RoundsState)
  }

  /** Looks at the next slice, unless another instance has just done so. */
  async slice(): Promise<void> {
    const { store, clock } = this.#deps
    const from = await this.#read()
    const before = from === null ? null : (JSON.parse(from) as RoundsState)
    const now = clock.now()
    if (before && Math.abs(now - before.at) < PERIOD_MS / 2) return
    const { auditHead } = store.tables
    const [head] = await store.db.select({ seq: auditHead.seq }).from(auditHead).where(eq(auditHead.id, 1))
    if (!head || head.seq === 0) return
    const begun = before && before.seq < head.seq && before.seq > 0 ? before : beginning(now, before)
    const most = Math.min(MOST, Math.max(LEAST, Math.ceil((head.seq * PERIOD_MS) / DAY_MS)))
    const end = await this.#check(begun, most)
    const done = end.rows < most
    const last = done ? { startedAt: begun.startedAt, endedAt: clock.now(), to: end.seq } : begun.last
    const next: RoundsState = done
      ? { ...beginning(now, { last }), at: now }
      : { ...begun, ...{ seq: end.seq, hash: end.hash, at: now } }
    await store.run(move, { from, to: JSON.stringify(next) })
  }

  async #read(): Promise<string | null> {
    const { db, tables } = this.#deps.store
    const { meta } = tables
    const [row] = await db.select({ value: meta.value }).from(meta).where(eq(meta.key, key))
    return row?.value ?? null
  }

  /** Checks so many events behind a place; answers the last one, and how many there were. */
  async #check(
    after: { seq: number; hash: string },
    most: number,
  ): Promise<{ seq: number; hash: string; rows: number }> {
    const { db, tables } = this.#deps.store
    const { auditEvents: at } = tables
    // One walk over the slice: a row that stands elsewhere is looked for among its neighbours.
    const walk = new Walk({ macs: this.#deps.keys.macs, checkpoints: [], after })
    let end = { ...after, rows: 0 }
    while (end.rows < most) {
      const limit = Math.min(BATCH, most - end.rows)
      const rows = await db.select().from(at).where(gt(at.seq, end.seq)).orderBy(asc(at.seq)).limit(limit)
      for (const row of rows) walk.add(row)
      const last = rows.at(-1)
      if (last) end = { seq: last.seq, hash: last.hash, rows: end.rows + rows.length }
      if (rows.length < limit) break
      await new Promise((resolve) => setImmediate(resolve))
    }
    const { found } = judge(walk, { checkpoints: [] })
    if (found.length === 0) return end
    const prunedTo = await this.#deps.prunedTo()
    const told = found.filter(({ kind, to }) => kind !== 'missing' || to > prunedTo)
    if (told.length > 0) this.#deps.broken(told)
    return end
  }
}

const beginning = (now: number, before: Pick<RoundsState, 'last'> | null): RoundsState => ({
  ...{ seq: 0, hash: genesis, startedAt: now, at: now, last: before?.last ?? null },
})
