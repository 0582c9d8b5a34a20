import { asc, eq, gt } from 'drizzle-orm'
import type { Store } from '@/db/store'
import type { Clock } from '@/server/clock'
import type { Log } from '@/server/log'
import { type Caller, system } from './append'
import type { Checkpoint } from './checkpoint'
import { CheckpointFiles } from './checkpoint-files'
import { Checkpointer } from './checkpointer'
import { type AuditKeys, pemOf, verifyingKeys } from './keys'
import type { LogPlace } from './log-source'
import { isAppendOnly } from './protection'
import { Rounds, type RoundsState } from './rounds'
import { sentenceOf, tellTampering } from './tampering'
import { Verification, type Verified, type Verifying } from './verification'
import type { VerificationResult, VerifyTask } from './verify-log'

export interface AuditState {
  /** The last event; null in an empty log. */
  head: { epoch: number; seq: number } | null
  /** The newest checkpoint that this console has written or found. */
  checkpoint: Pick<Checkpoint, 'epoch' | 'seq' | 'time'> | null
  /** Events behind it, and when the oldest of them was written. */
  unprotected: { events: number; oldestAt: number | null }
  /** What the store's database grants to the role of the console. */
  protection: 'append-only' | 'tamper-evident, not append-only'
  /** Up to which event this instance has checked those that came. */
  checkedSeq: number | null
  /** The rounds over the whole log in the background; null before the first slice. */
  rounds: Pick<RoundsState, 'seq' | 'startedAt' | 'last'> | null
  /** Why no checkpoint can be written, in one sentence. */
  problem: string | null
  verifying: Verifying | null
  verified: Verified | null
}

export interface Audit {
  state(): Promise<AuditState>
  /** The keys by which anybody can verify checkpoints, the current one first. */
  publicKeys(): { id: string; pem: string }[]
  /** Every checkpoint of this console's folder, in the order of signing. */
  checkpoints(): Promise<Checkpoint[]>
  /** The same as text, one a line. */
  checkpointFile(): Promise<string>
  /** Signs the end of the log now. Answers the newest checkpoint; null while the log is empty. */
  checkpoint(): Promise<Checkpoint | null>
  /** Begins to verify the whole log, unless that is on its way; answers at once. */
  verify(by: Caller): Verifying
  verification(): Promise<Pick<AuditState, 'verifying' | 'verified'>>
  /** Verifies in this thread, for a command line. */
  verifyHere(by: Caller, progress: (rows: number, last: number) => void): Promise<VerificationResult>
  start(): void
  /** Stops, with a last checkpoint. */
  close(): Promise<void>
}

export interface AuditDeps {
  store: Store
  clock: Clock
  log: Log
  keys: AuditKeys
  /** Where the log stands now: a switchover moves it. */
  place: () => LogPlace
}

/** Opens what watches over the audit log: checkpoints in `folder`, and verification. */
export function openAudit({ store, clock, log, keys, place }: AuditDeps, folder: string): Audit {
  const files = new CheckpointFiles(folder)
  const publicKeys = [...keys.publicKeys].map(([id, key]) => ({ id, pem: pemOf(key) }))
  const task = (): VerifyTask => ({ place: place(), folder, ...verifyingKeys(keys) })
  const verification = new Verification({ store, clock, log, task })
  const told = new Set<string>()
  const checkpointer = new Checkpointer({
    ...{ store, clock, log, keys, files },
    async broken(found) {
      const fresh = found.filter((each) => !told.has(sentenceOf(each)))
      if (fresh.length === 0) return
      for (const each of fresh) told.add(sentenceOf(each))
      log.error({ found: fresh.slice(0, 20).map(sentenceOf) }, 'the audit log was tampered with')
      await store
        .run(tellTampering, { found: fresh, now: clock.now() })
        // A log that was tampered with may take no more events.
        .catch((error: unknown) => log.error({ error }, 'tampering was not noted in the audit log'))
      verification.start(system)
    },
  })
  const seen = new Set<string>()
  const rounds = new Rounds({
    ...{ store, clock, log, keys },
    prunedTo: () => checkpointer.prunedTo(),
    // The whole verification names what it is, and tells it.
    broken(found) {
      const fresh = found.filter((each) => !seen.has(sentenceOf(each)))
      if (fresh.length === 0) return
      for (const each of fresh) seen.add(sentenceOf(each))
      log.error({ found: fresh.slice(0, 20).map(sentenceOf) }, 'old events of the audit log do not fit')
      verification.start(system)
    },
  })

  return {
    async state() {
      const [rest, appendOnly, verified, round] = await Promise.all([
        readEnd(store, checkpointer.last?.seq ?? 0),
        isAppendOnly(store),
        verification.last(),
        rounds.state(),
      ])
      const { last, checkedSeq, problem } = checkpointer
      return {
        ...rest,
        checkpoint: last && { epoch: last.epoch, seq: last.seq, time: last.time },
        protection: appendOnly ? 'append-only' : 'tamper-evident, not append-only',
        rounds: round && { seq: round.seq, startedAt: round.startedAt, last: round.last },
        ...{ checkedSeq, problem, verifying: verification.now, verified },
      }
    },
    publicKeys: () => publicKeys,
    checkpoints: async () => (await files.read()).checkpoints,
    checkpointFile: () => files.text(),
    async checkpoint() {
      await checkpointer.now()
      return checkpointer.last
    },
    verify: (by) => verification.start(by),
    verification: async () => ({ verifying: verification.now, verified: await verification.last() }),
    verifyHere: (by, progress) => verification.here(by, progress),
    start() {
      checkpointer.start()
      rounds.start()
    },
    async close() {
      await rounds.close()
      await verification.close()
      await checkpointer.close()
    },
  }
}

async function readEnd(store: Store, signed: number): Promise<Pick<AuditState, 'head' | 'unprotected'>> {
  const { auditHead, auditEvents } = store.tables
  const [[head], [oldest]] = await Promise.all([
    store.db
      .select({ epoch: auditHead.epoch, seq: auditHead.seq })
      .from(auditHead)
      .where(eq(auditHead.id, 1)),
    store.db
      .select({ time: auditEvents.time })
      .from(auditEvents)
      .where(gt(auditEvents.seq, signed))
      .orderBy(asc(auditEvents.seq))
      .limit(1),
  ])
  return {
    head: head && head.seq > 0 ? head : null,
    unprotected: { events: Math.max(0, (head?.seq ?? 0) - signed), oldestAt: oldest?.time ?? null },
  }
}
