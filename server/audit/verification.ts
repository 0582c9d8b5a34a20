import { eq } from 'drizzle-orm'
import type { Store } from '@/db/store'
import { q, unit } from '@/db/unit'
import type { Clock } from '@/server/clock'
import type { Log } from '@/server/log'
import { appendAudit, type Caller } from './append'
import { tellTampering } from './tampering'
import { type VerifyingThread, verifyInThread } from './thread'
import { type VerificationResult, type VerifyTask, verifyLog } from './verify-log'

/** A verification that has ended. */
export interface Verified {
  startedAt: number
  endedAt: number
  /** Who asked for it. */
  by: string
  result: VerificationResult | null
  /** Why there is no result, in one sentence. */
  error: string | null
}

/** One on its way in this instance. */
export interface Verifying {
  startedAt: number
  by: string
  /** Rows read so far, and the seq of the last one that there is. */
  rows: number
  last: number
}

export interface VerificationDeps {
  store: Store
  clock: Clock
  log: Log
  task: () => VerifyTask
}

const key = 'audit-verification'

const keep = unit('audit.keep-verification', function* (tx, input: { verified: Verified; by: Caller }) {
  const { meta } = tx.tables
  const { verified, by } = input
  const value = JSON.stringify(verified)
  yield* q(tx.db.insert(meta).values({ key, value }).onConflictDoUpdate({ target: meta.key, set: { value } }))
  const { result, error } = verified
  yield* appendAudit(tx, {
    ...by,
    time: verified.endedAt,
    event: 'sys_audit_verified',
    outcome: result?.sound ? 'success' : 'failure',
    target: 'audit log',
    reason: error,
    after: result && { rows: result.rows, last: result.last, counts: result.counts },
  })
})

/** Verifies the whole log in a thread, one at a time, and keeps what came of the last one in the store. */
export class Verification {
  readonly #deps: VerificationDeps
  #thread: VerifyingThread | undefined
  #running: Promise<void> | undefined
  now: Verifying | null = null

  constructor(deps: VerificationDeps) {
    this.#deps = deps
  }

  /** Verifies in this thread, for a command line, and keeps what came of it where the store takes writes. */
  async here(by: Caller, progress: (rows: number, last: number) => void): Promise<VerificationResult> {
    const { clock, log, task } = this.#deps
    const startedAt = clock.now()
    const result = await verifyLog(task(), progress)
    await this.#keep({ startedAt, by: by.actor, endedAt: clock.now(), result, error: null }, by).catch(
      (error: unknown) => log.warn({ error }, 'the result of a verification was not kept'),
    )
    return result
  }

  /** Starts one unless one runs; answers what runs. */
  start(by: Caller): Verifying {
    if (this.now) return this.now
    const now: Verifying = { startedAt: this.#deps.clock.now(), by: by.actor, rows: 0, last: 0 }
    this.now = now
    this.#running = this.#run(now, by)
      .catch((error: unknown) => this.#deps.log.error({ error }, 'the result of a verification was not kept'))
      .finally(() => {
        this.now = null
        this.#thread = undefined
      })
    return now
  }

  /** The last one that ended, in whichever instance. */
  async last(): Promise<Verified | null> {
    const { store } = this.#deps
    const { meta } = store.tables
    const [row] = await store.db.select().from(meta).where(eq(meta.key, key))
    return row ? (JSON.parse(row.value) as Verified) : null
  }

  /** Resolves when none runs any more. */
  async settled(): Promise<void> {
    await this.#running
  }

  async close(): Promise<void> {
    await this.#thread?.stop()
    await this.#running
  }

  async #run(now: Verifying, by: Caller): Promise<void> {
    const { clock, log, task } = this.#deps
    const ended = { startedAt: now.startedAt, by: now.by }
    try {
      this.#thread = verifyInThread(task(), (rows, last) => Object.assign(now, { rows, last }))
      const result = await this.#thread.result
      await this.#keep({ ...ended, endedAt: clock.now(), result, error: null }, by)
    } catch (error) {
      log.error({ error }, 'the audit log was not verified')
      const sentence = 'The log could not be read to its end; the log of the console says why.'
      await this.#keep({ ...ended, endedAt: clock.now(), result: null, error: sentence }, by)
    }
  }

  async #keep(verified: Verified, by: Caller): Promise<void> {
    const { store, clock } = this.#deps
    const { result } = verified
    if (result && !result.sound) await store.run(tellTampering, { found: result.found, now: clock.now() })
    await store.run(keep, { verified, by })
  }
}
