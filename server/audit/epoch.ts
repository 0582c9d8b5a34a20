import type { KeyObject } from 'node:crypto'
import { and, eq, inArray } from 'drizzle-orm'
import type { Store } from '@/db/store'
import { locked, q, unit } from '@/db/unit'
import type { Clock } from '@/server/clock'
import { HoldfastError } from '@/server/errors'
import { useGrant } from '@/server/grants'
import type { Log } from '@/server/log'
import { Repeating } from '@/server/repeating'
import { appendAudit, type Caller } from './append'
import { genesis } from './chain'
import { type Checkpoint, isSigned } from './checkpoint'
import { type Edge, edgeInEvent, edgeOfEvent, RESTORED } from './landmarks'

/** What checkpoints outside of the store have signed and the log does not hold. */
export interface Loss {
  /** The last event that may still be as it was signed. */
  kept: Edge
  /** The last checkpoint of what is lost. */
  signed: Pick<Checkpoint, 'epoch' | 'seq' | 'time'>
  /** Events that were signed and are not there, or are others. */
  events: number
}

/** Watches for a log that is behind its checkpoints, and lets somebody say that its store was restored. */
export interface Epochs {
  /** What is lost and not declared, as far as it was last seen. */
  readonly loss: Loss | null
  /** Looks again. */
  look(): Promise<Loss | null>
  /**
   * Says that the store was restored from a backup: an event begins a new epoch, and names what is lost. Throws
   * CONFLICT when the log holds all that was signed. With `machine`, who holds the master key, no grant is asked for;
   * with `justPlaced`, who has just put the backup there, nothing need be seen to be lost: what the former machine
   * wrote after the backup may be signed where nobody sees it any more.
   */
  restored(
    input: { reason: string },
    privilege: { by: Caller; grantId: string | null; machine?: boolean; justPlaced?: boolean },
  ): Promise<{ epoch: number; seq: number; loss: Loss }>
  start(): Promise<void>
  close(): Promise<void>
}

interface Deps {
  store: Store
  clock: Clock
  log: Log
  publicKeys: ReadonlyMap<string, KeyObject>
  /** All that stand outside of the store. */
  checkpoints(): Promise<Checkpoint[]>
}

const BATCH = 500
const PERIOD_MS = 60_000

export function openEpochs({ store, clock, log, publicKeys, checkpoints }: Deps): Epochs {
  let loss: Loss | null = null
  async function look(): Promise<Loss | null> {
    loss = await findLoss(store, await checkpoints(), publicKeys)
    return loss
  }
  // Another console may have been told.
  const repeating = new Repeating({
    ...{ period: PERIOD_MS, pace: 'rest' },
    tick: async () => void (loss && (await look())),
    failed: (error) => log.warn({ error }, 'checkpoints were not compared with the audit log'),
  })
  return {
    get loss() {
      return loss
    },
    look,
    async restored({ reason }, { by, grantId, machine = false, justPlaced = false }) {
      const now = clock.now()
      const done = await store.run(declareRestored, {
        ...{ reason, by, now, loss: await look(), justPlaced },
        grantId: machine ? undefined : grantId,
      })
      await look()
      return done
    },
    async start() {
      await look().catch((error: unknown) =>
        log.error({ error }, 'checkpoints could not be compared with the audit log'),
      )
      if (loss) log.error({ loss }, lossSentence(loss))
      repeating.start()
    },
    close: () => repeating.stop(),
  }
}

/** In one sentence, for people. */
export function lossSentence({ kept, signed, events }: Loss): string {
  return (
    `The audit log is behind its checkpoints: ${events} ${events === 1 ? 'event' : 'events'} from ${kept.seq + 1} to ` +
    `${signed.seq}, signed by ${new Date(signed.time).toISOString()}, are not in it.`
  )
}

/** Compares the log with what was signed. Checkpoints that no key of the console has signed say nothing. */
export async function findLoss(
  store: Store,
  checkpoints: readonly Checkpoint[],
  publicKeys: ReadonlyMap<string, KeyObject>,
): Promise<Loss | null> {
  const { auditEvents: events, auditHead } = store.tables
  const [head] = await store.db.select().from(auditHead).where(eq(auditHead.id, 1))
  const [first] = await store.db.select({ seq: events.seq }).from(events).orderBy(events.seq).limit(1)
  const declared = await store.db
    .select({ seq: events.seq, epoch: events.epoch, after: events.after })
    .from(events)
    .where(eq(events.event, RESTORED))
  const isDeclared = ({ epoch, seq }: Checkpoint) =>
    declared.some((event) => epoch < event.epoch && seq > (edgeOfEvent(event)?.seq ?? event.seq - 1))
  const known = (checkpoint: Checkpoint) => {
    const key = publicKeys.get(checkpoint.key)
    return key !== undefined && isSigned(checkpoint, key)
  }
  const lost: Checkpoint[] = []
  for (let at = 0; at < checkpoints.length; at += BATCH) {
    const batch = checkpoints.slice(at, at + BATCH).filter((each) => !isDeclared(each))
    const rows = await store.db
      .select({ seq: events.seq, hash: events.hash })
      .from(events)
      .where(inArray(events.seq, [...new Set(batch.map(({ seq }) => seq))]))
    const hashes = new Map(rows.map(({ seq, hash }) => [seq, hash]))
    lost.push(
      ...batch.filter(({ seq, hash }) => {
        // What retention has dropped is missing for a reason that its own event tells.
        if (first && seq < first.seq) return false
        return hashes.get(seq) !== hash
      }),
    )
  }
  const real = lost.filter(known)
  const [one] = real
  if (!one) return null
  const from = real.reduce((least, { seq }) => Math.min(least, seq), one.seq)
  const last = real.reduce((most, each) => (each.seq > most.seq ? each : most), one)
  const kept = await placeBefore(store, Math.min(from, (head?.seq ?? 0) + 1))
  const { epoch, seq, time } = last
  return { kept, signed: { epoch, seq, time }, events: seq - kept.seq }
}

async function placeBefore(store: Store, seq: number): Promise<Edge> {
  const { auditEvents: events } = store.tables
  const [row] = await store.db
    .select({ epoch: events.epoch, seq: events.seq, hash: events.hash })
    .from(events)
    .where(eq(events.seq, seq - 1))
  return row ?? { epoch: 1, seq: seq - 1, hash: genesis }
}

interface Declaration {
  reason: string
  by: Caller
  /** Absent for who holds the machine and its master key. */
  grantId?: string | null | undefined
  loss: Loss | null
  justPlaced: boolean
  now: number
}

const declareRestored = unit(
  'audit.declareRestored',
  function* (tx, { reason, by, grantId, loss: seen, justPlaced, now }: Declaration) {
    const { auditHead } = tx.tables
    if (grantId !== undefined)
      yield* useGrant(tx, { grantId, by, action: 'security.audit.restored', input: { reason }, now })
    const [head] = yield* q(locked(tx.db.select().from(auditHead).where(eq(auditHead.id, 1))))
    const loss = seen ?? (justPlaced && head ? noneSeen(head, now) : null)
    if (!loss || !head) {
      throw new HoldfastError('CONFLICT', {
        message: 'The audit log holds all that its checkpoints have signed: nothing was restored.',
        remedy: 'Look whether the console uses the folder of checkpoints that belongs to this store.',
      })
    }
    const { kept, signed, events } = loss
    const epoch = Math.max(head.epoch, signed.epoch) + 1
    yield* q(
      tx.db
        .update(auditHead)
        .set({ epoch })
        .where(and(eq(auditHead.id, 1), eq(auditHead.epoch, head.epoch))),
    )
    const seq = yield* appendAudit(tx, {
      ...{ ...by, time: now, event: RESTORED, outcome: 'success', severity: 'high', reason },
      target: `epoch:${epoch}`,
      before: { head: `${head.epoch}:${head.seq}:${head.hash}` },
      after: { ...edgeInEvent(kept), checkpoint: `${signed.epoch}:${signed.seq}`, lost: events },
    })
    return { epoch, seq, loss }
  },
)

const noneSeen = ({ epoch, seq, hash }: Edge, now: number): Loss => ({
  kept: { epoch, seq, hash },
  signed: { epoch, seq, time: now },
  events: 0,
})
