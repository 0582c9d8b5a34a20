import { and, asc, desc, eq, gt, isNotNull, lte } from 'drizzle-orm'
import type { Store } from '@/db/store'
import type { Clock } from '@/server/clock'
import { holdLease, releaseLease } from '@/server/leases'
import type { Log } from '@/server/log'
import { createEngine, type Engine, evaluate, horizonOf, resume } from './engine'
import { cursorKey, type Found, type Reported, report } from './report'
import { readSettings, type Settings } from './settings'
import type { Hit, RuleFacts, ThreatRow } from './types'

export interface FollowDeps {
  store: Store
  clock: Clock
  log: Log
  /** Names this instance. */
  instance: string
  facts: RuleFacts
  /** Of the first, second, … block that a rule makes of an address; absent: as limits do by default. */
  blockDurationsMs?: readonly number[] | undefined
  /** Told of sessions that ended. */
  ended(sessionIds: readonly string[]): void
}

const LEASE = 'threats'
/** When its holder dies, another takes over after this time; it is renewed when half of it is left. */
const LEASE_MS = 6_000
const BATCH = 500
/** Events without a finding after which the cursor is moved all the same. */
const LAZY = 2_000
/** Events that are read again at most to remember what rules knew before a restart. */
const REBUILD = 60_000

/** Follows the audit log for all instances: one tick reads what came, judges it, and reports what was found. */
export class Follower {
  readonly #deps: FollowDeps
  #engine: Engine | undefined
  /** What the engine was made with. */
  #settings: Settings | undefined
  /** The cursor in the store, as this instance put it. */
  #persisted = -1
  #heldUntil = 0
  #stopping = false

  constructor(deps: FollowDeps) {
    this.#deps = deps
  }

  /** Reads what came since the last tick. Whoever does not hold the lease does nothing. */
  async tick(): Promise<void> {
    try {
      await this.#follow()
    } catch (error) {
      // What was judged but not reported is judged anew, from where the store stands.
      this.#engine = undefined
      throw error
    }
  }

  /** Moves the cursor to where this instance is and lets another one go on at once. */
  async close(): Promise<void> {
    this.#stopping = true
    const { store, clock, instance, log } = this.#deps
    if (this.#heldUntil <= clock.now()) return
    try {
      if (this.#engine && this.#engine.seq > this.#persisted) await this.#report([])
      await store.run(releaseLease, { name: LEASE, owner: instance })
    } catch (error) {
      log.warn({ error }, 'the threat rules could not hand over; another instance goes on in a few seconds')
    }
  }

  async #follow(): Promise<void> {
    const { store } = this.#deps
    // Renewed also while nothing happens: each change of hands reads the last day again.
    if (!(await this.#hold())) return
    const { auditHead } = store.tables
    const [row] = await store.db.select({ seq: auditHead.seq }).from(auditHead).where(eq(auditHead.id, 1))
    const head = row?.seq ?? 0
    if (this.#engine?.seq === head) return
    const cursor = await readCursor(store)
    if (cursor === null || cursor > head) {
      // Before the first time, and after the log was rolled back: what stands there is history.
      await store.run(report, { from: cursor, to: head, found: [], now: this.#deps.clock.now() })
      this.#engine = undefined
      return
    }
    const settings = await readSettings({ store })
    if (!this.#engine || cursor !== this.#persisted || settings.version !== this.#settings?.version) {
      if (this.#engine && this.#engine.seq > cursor && cursor === this.#persisted) await this.#report([])
      await this.#rebuild(settings)
    }
    await this.#catchUp()
  }

  async #hold(): Promise<boolean> {
    const { store, clock, instance: owner } = this.#deps
    const now = clock.now()
    if (this.#heldUntil - now > LEASE_MS / 2) return true
    const { leases } = store.tables
    const [lease] = await store.db.select().from(leases).where(eq(leases.name, LEASE))
    if (lease && lease.owner !== owner && lease.until >= now) {
      this.#heldUntil = 0
      this.#engine = undefined
      return false
    }
    const until = now + LEASE_MS
    const { held } = await store.run(holdLease, { name: LEASE, owner, now, until })
    this.#heldUntil = held ? until : 0
    if (!held) this.#engine = undefined
    return held
  }

  async #catchUp(): Promise<void> {
    const { store } = this.#deps
    while (this.#engine && !this.#stopping) {
      const rows = await readAfter(store, this.#engine.seq, BATCH)
      if (rows.length === 0) return
      const found = this.#found(evaluate(this.#engine, rows))
      const lag = this.#engine.seq - this.#persisted
      if ((found.length > 0 || lag >= LAZY) && !(await this.#report(found))) return
      if (rows.length < BATCH) return
      await new Promise((resolve) => setImmediate(resolve))
      if (!(await this.#hold())) return
    }
  }

  #found(hits: Hit[]): Found[] {
    return hits.map((hit) => {
      const setting = this.#settings?.byRule.get(hit.rule)
      return { ...hit, dryRun: setting?.dryRun ?? true, response: setting?.response ?? 'notify' }
    })
  }

  /** False: another instance has moved the cursor, and has reported this. */
  async #report(found: Found[]): Promise<boolean> {
    const { store, clock, blockDurationsMs, ended } = this.#deps
    if (!this.#engine) return false
    const to = this.#engine.seq
    const reported: Reported | null = await store.run(report, {
      ...{ from: this.#persisted, to, found, blockDurationsMs, now: clock.now() },
    })
    if (!reported) {
      this.#engine = undefined
      return false
    }
    this.#persisted = to
    if (reported.ended.length > 0) ended(reported.ended)
    return true
  }

  /** Remembers what the rules knew at the cursor, from the log itself and the findings that still grow. */
  async #rebuild(settings: Settings): Promise<void> {
    const { store, facts } = this.#deps
    const cursor = (await readCursor(store)) ?? 0
    const engine = createEngine(settings.byRule, facts)
    for (const page of await readBefore(store, cursor, horizonOf(engine))) evaluate(engine, page)
    engine.seq = cursor
    const { findings } = store.tables
    const growing = await store.db
      .select({ rule: findings.rule, subject: findings.subject, lastAt: findings.lastAt })
      .from(findings)
      .where(isNotNull(findings.growing))
    for (const finding of growing) resume(engine, finding)
    this.#engine = engine
    this.#settings = settings
    this.#persisted = cursor
  }
}

async function readCursor({ db, tables }: Store): Promise<number | null> {
  const { meta } = tables
  const [row] = await db.select().from(meta).where(eq(meta.key, cursorKey))
  return row ? Number(row.value) : null
}

/** Columns of an event that rules read. */
export function threatColumns({ tables }: Pick<Store, 'tables'>) {
  const at = tables.auditEvents
  const { seq, time, event, actorId, actor, target, outcome, reason, address, sessionId, severity } = at
  return {
    ...{ seq, time, event, actorId, actor, target, outcome, reason, address, sessionId, severity },
    ...{ before: at.before, after: at.after, source: at.source },
  }
}

function readAfter(store: Store, seq: number, limit: number): Promise<ThreatRow[]> {
  const { auditEvents: at } = store.tables
  return store.db
    .select(threatColumns(store))
    .from(at)
    .where(gt(at.seq, seq))
    .orderBy(asc(at.seq))
    .limit(limit)
}

/** Events up to `cursor` that rules still look back on, in pages, the oldest first. */
async function readBefore(store: Store, cursor: number, horizonMs: number): Promise<ThreatRow[][]> {
  const { auditEvents: at } = store.tables
  const pages: ThreatRow[][] = []
  let [next, newest] = [cursor, Number.NEGATIVE_INFINITY]
  for (let read = 0; read < REBUILD; read += 1_000) {
    const page = await store.db
      .select(threatColumns(store))
      .from(at)
      .where(and(lte(at.seq, next)))
      .orderBy(desc(at.seq))
      .limit(1_000)
    if (page.length === 0) break
    for (const { time } of page) newest = Math.max(newest, time)
    pages.unshift(page.reverse())
    next = (page[0]?.seq ?? 0) - 1
    if (page.every(({ time }) => time <= newest - horizonMs)) break
  }
  return pages
}
