import { randomUUID } from 'node:crypto'
import type { Store } from '@/db/store'
import type { Clock } from '@/server/clock'
import type { Log } from '@/server/log'
import { Repeating } from '@/server/repeating'
import { type Caller, system } from './append'
import { type PrunedEdge, readEdge } from './edge'
import {
  beginPruning,
  pruneBatch,
  retention,
  type SignedPlace,
  setRetention,
  takeTurn,
} from './retention-units'

export interface RetentionState {
  /** Days that events are kept; null: all of them. */
  days: number | null
  /** Where the log begins; null when nothing was ever dropped. */
  edge: PrunedEdge | null
}

/** Who asks, with the grant of a step-up. */
interface Privilege {
  by: Caller
  grantId: string | null
}

/** How long the audit log is kept, and what drops its oldest events. */
export interface Retention {
  state(): Promise<RetentionState>
  set(input: { days: number | null }, privilege: Privilege): Promise<{ days: number | null }>
  /** Drops what is older than so many days. Answers how many events went, and the last of them. */
  prune(input: { days: number }, privilege: Privilege): Promise<{ events: number; edge: PrunedEdge | null }>
  /** Drops by the setting, if it is this instance's turn. */
  tend(): Promise<void>
  start(): void
  close(): Promise<void>
}

interface Deps {
  store: Store
  clock: Clock
  log: Log
  /** Signs the end of the log now; null while it is empty. */
  checkpoint(): Promise<SignedPlace | null>
}

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
/** Rows that one statement drops: on SQLite nobody writes meanwhile. */
const BATCH = 1_000

export function openRetention({ store, clock, log, checkpoint }: Deps): Retention {
  const owner = randomUUID()
  let stopping = false
  const repeating = new Repeating({
    ...{ period: HOUR_MS, pace: 'begin-to-begin', tick: tend },
    failed: (error) => log.warn({ error }, 'old audit events were not dropped'),
  })

  async function drop(days: number, asked: Privilege & { manual: boolean }) {
    const now = clock.now()
    const signed = await checkpoint()
    const begun = await store.run(beginPruning, {
      asked: { ...asked, now },
      ...{ before: now - days * DAY_MS, days, checkpoint: signed },
    })
    await finish(signed)
    return begun.events
  }

  /** What is marked as dropped goes; a stop in the middle is made up for at the next turn. */
  async function finish(signed: SignedPlace | null): Promise<void> {
    const edge = await readEdge(store)
    if (!edge || !signed) return
    const batch = { upTo: edge.seq, most: BATCH, checkpoint: signed }
    while (!stopping && (await store.run(pruneBatch, batch)) > 0)
      await new Promise((resolve) => setImmediate(resolve))
  }

  async function tend(): Promise<void> {
    const days = await store.run(retention, null)
    if (days === null) return
    const turn = { owner, now: clock.now(), everyMs: DAY_MS - HOUR_MS / 2 }
    if (await store.run(takeTurn, turn)) await drop(days, { by: system, grantId: null, manual: false })
  }

  return {
    state: async () => ({ days: await store.run(retention, null), edge: await readEdge(store) }),
    set: (input, privilege) => store.run(setRetention, { ...input, ...privilege, now: clock.now() }),
    async prune({ days }, privilege) {
      const events = await drop(days, { ...privilege, manual: true })
      return { events, edge: await readEdge(store) }
    },
    tend,
    start: () => repeating.start(),
    async close() {
      stopping = true
      await repeating.stop()
    },
  }
}
