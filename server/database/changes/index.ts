import { randomUUID } from 'node:crypto'
import type { Store } from '@/db/store'
import type { Caller } from '@/server/audit'
import type { Clock } from '@/server/clock'
import { HoldfastError, isHoldfastError } from '@/server/errors'
import type { Log } from '@/server/log'
import { Repeating } from '@/server/repeating'
import { type Advice, adviseNow } from './advise'
import { Measuring } from './measure'
import type { Source } from './source'
import type { IndexChange, OfferedAdvice } from './types'
import { beginChange, beginUndo, type Row, readChanges } from './units'
import { Working } from './work'
import { Writes } from './writes'

export type { IndexChange, MeasuredTime, OfferedAdvice, OfferedIndex, OfferedProblem } from './types'

export interface IndexChangesDeps {
  store: Store
  clock: Clock
  log: Log
  /** The database under the store, which a switchover replaces. */
  database: () => Source
  /** Names this process among those that share the store; random without. */
  instance?: string
}

/** Who asks for a change, with the step-up grant of the request. */
export interface Privilege {
  by: Caller
  grantId: string | null
}

/** Index advice, and the indexes that were made or dropped by it. */
export interface IndexChanges {
  /** What would help; kept for a minute unless `fresh`. Never throws for a database that is away: `missing` says why. */
  advice(options?: { fresh?: boolean }): Promise<OfferedAdvice>
  /**
   * Begins what one piece of advice says and answers the change's id; `list` tells how it goes. Uses the grant up,
   * for the action `database.applyIndex` and the input { key }. Throws NOT_FOUND when the advice does not stand any
   * more, CONFLICT while another change runs or where another index must be made first.
   */
  apply(asked: { key: string; privilege: Privilege }): Promise<{ id: string }>
  /** Begins to take a change back, in the same way: `database.undoIndex`, { id }. */
  undo(asked: { id: string; privilege: Privilege }): Promise<void>
  /** The newest first, 200 at most. */
  list(): Promise<IndexChange[]>
  /** Sees to changes that somebody left unfinished, and measures. Called regularly after `start`. */
  tick(): Promise<void>
  start(): void
  close(): Promise<void>
}

const FRESH_MS = 60_000
const TICK_MS = 10_000

/**
 * Opens index advice and changes on the database under the store. The store's own tables may get indexes too: they
 * are an application's like any other. A move of the store to PostgreSQL does not carry them; upgrades leave them.
 */
export function openIndexChanges(deps: IndexChangesDeps): IndexChanges {
  const { store, clock, log, database, instance = randomUUID() } = deps
  const measuring = new Measuring({ store, clock, database, instance })
  const working = new Working({
    ...{ store, clock, log, database, instance },
    changed: forget,
    ended: (row) => measuring.note(row),
  })
  const writes = new Writes({ clock, database })
  let known: { of: Source; advice: Advice } | undefined
  let asking: Promise<Advice> | undefined

  /** An index was made or dropped: what is known does not hold any more, nor what is just being looked for. */
  function forget(): void {
    known = undefined
    asking = undefined
  }

  /** One look at a time, for whoever asks meanwhile. */
  function look(): Promise<Advice> {
    if (asking) return asking
    const of = database()
    const since = (moment: number | null) => writes.since(moment)
    const mine = adviseNow({ database: of, log, now: clock.now(), writes: since }).then((advice) => {
      if (asking === mine) {
        known = { of, advice }
        asking = undefined
      }
      return advice
    })
    asking = mine
    return mine
  }

  async function current(fresh: boolean): Promise<Advice> {
    const usable = known?.of === database() && clock.now() - known.advice.offered.at < FRESH_MS
    return !fresh && usable && known ? known.advice : look()
  }

  async function planOf(key: string) {
    let first: string | undefined
    for (const advice of [() => current(false), look]) {
      const { plans, offered } = await advice()
      const plan = plans.get(key)
      first = offered.advice.find((each) => each.key === key)?.after[0]
      if (plan && first === undefined) return { plan, advisedAt: offered.at }
    }
    if (first !== undefined) throw tooEarly(first)
    throw new HoldfastError('NOT_FOUND', {
      message: 'This advice does not stand any more.',
      remedy: 'The list of advice shows what does; the index may have been made meanwhile.',
    })
  }

  const repeating = new Repeating({
    ...{ period: TICK_MS, pace: 'rest', tick },
    failed: (error, again) => again || log.warn({ error }, 'index changes could not be looked after'),
  })

  async function tick(): Promise<void> {
    await working.takeOver()
    await measuring.tick()
  }

  return {
    advice: async ({ fresh = false } = {}) => (await current(fresh)).offered,

    async apply({ key, privilege }) {
      const { plan, advisedAt } = await planOf(key)
      const { dialect } = database()
      const id = randomUUID()
      const before = await measuring.before(plan.fingerprints)
      const lease = working.lease()
      const asked = { ...privilege, id, plan, dialect, before, advisedAt, lease, now: clock.now() }
      await store.run(beginChange, asked).catch((error: unknown) => {
        // Somebody changed something since: whoever asks again gets advice that knows.
        if (isHoldfastError(error) && error.code === 'CONFLICT') forget()
        throw error
      })
      forget()
      working.begin(id)
      return { id }
    },

    async undo({ id, privilege }) {
      const { dialect } = database()
      await store.run(beginUndo, { ...privilege, id, dialect, lease: working.lease(), now: clock.now() })
      forget()
      working.begin(id)
    },

    list: async () => (await readChanges(store)).map(shown),
    tick,
    start: () => repeating.start(),
    async close() {
      await repeating.stop()
      await working.close()
    },
  }
}

function shown(row: Row): IndexChange {
  const { id, kind, table, index, ddl, undo, state, actor, requestedAt, finishedAt, undoneAt } = row
  const { error, expected, fingerprints, before, after } = row
  return {
    ...{ id, kind, table, index, ddl, undo, state, actor, requestedAt, finishedAt, undoneAt },
    ...{ error, expected, fingerprints, before, after },
  }
}

const tooEarly = (first: string) =>
  new HoldfastError('CONFLICT', {
    message: 'This index alone would slow a statement that another advised index is for.',
    remedy: `Make ${first} first.`,
  })
