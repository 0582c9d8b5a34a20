import { asc, desc, eq, gt } from 'drizzle-orm'
import type { Store } from '@/db/store'
import type { Clock } from '@/server/clock'
import type { Log } from '@/server/log'
import { Repeating } from '@/server/repeating'
import { type AuditRow, canonical } from './chain'
import { type Checkpoint, isSigned, signCheckpoint } from './checkpoint'
import type { CheckpointFiles } from './checkpoint-files'
import { hashOf } from './digests'
import { isGenuine } from './genuine'
import { type Found, judge } from './judge'
import type { AuditKeys } from './keys'
import { edgeOfEvent, PRUNED } from './landmarks'
import { Walk } from './walk'

export interface CheckpointerDeps {
  store: Store
  clock: Clock
  log: Log
  keys: AuditKeys
  files: CheckpointFiles
  /** Told of what does not fit, each time that it is seen. */
  broken: (found: Found[]) => Promise<unknown>
}

/** The head row, and the event that it names. */
interface End {
  head: { epoch: number; seq: number; hash: string }
  row: AuditRow | null
}

/** Looks at the end of the log so often: a checkpoint stands on the disk within a second of a commit. */
const PERIOD_MS = 400
/** Events that are checked at once, and in one turn at most: the event loop has other work. */
const BATCH = 250
const MOST_A_TURN = 1_000
const DAY_MS = 86_400_000

/**
 * Signs the end of the log whenever it has moved, whoever moved it, and checks the events that came: a log that was
 * cut, put back or changed near its end is found without anybody pressing a button.
 */
export class Checkpointer {
  readonly #deps: CheckpointerDeps
  readonly #repeating: Repeating
  #last: Checkpoint | undefined
  #checked: { seq: number; hash: string } | undefined
  #opened = false
  #turn: Promise<void> = Promise.resolve()
  #thinnedAt = Number.NEGATIVE_INFINITY
  /** Why no checkpoint can be written, in one sentence. */
  problem: string | null = null

  constructor(deps: CheckpointerDeps) {
    this.#deps = deps
    this.#repeating = new Repeating({
      period: PERIOD_MS,
      pace: 'begin-to-begin',
      tick: () => this.now(),
      failed: (error, again) => {
        this.problem = 'The last checkpoint could not be written; the log of the console says why.'
        if (!again) deps.log.error({ error }, 'no checkpoint of the audit log')
      },
    })
  }

  /** The newest one that this process knows of. */
  get last(): Checkpoint | null {
    return this.#last ?? null
  }

  /** Up to which event this process has looked at those that came. */
  get checkedSeq(): number | null {
    return this.#checked?.seq ?? null
  }

  start(): void {
    this.#repeating.start()
  }

  /** Stops, with a last checkpoint of what was committed. */
  async close(): Promise<void> {
    await this.#repeating.stop()
    await this.now().catch((error: unknown) =>
      this.#deps.log.error({ error }, 'no last checkpoint of the audit log'),
    )
  }

  /** Checks and signs what has come. Turns follow one another. */
  now(): Promise<void> {
    const turn = this.#turn.catch(() => {}).then(() => this.#once())
    this.#turn = turn
    return turn
  }

  async #once(): Promise<void> {
    if (!this.#opened) await this.#open()
    const end = await this.#readEnd()
    if (end) await this.#follow(end)
    this.problem = null
    const now = this.#deps.clock.now()
    if (now - this.#thinnedAt < DAY_MS) return
    this.#thinnedAt = now
    await this.#deps.files.thin(now)
  }

  /** Goes on from the newest checkpoint that this console has signed. */
  async #open(): Promise<void> {
    const { files, keys } = this.#deps
    const { checkpoints } = await files.read()
    const ours = checkpoints.filter((checkpoint) => {
      const key = keys.publicKeys.get(checkpoint.key)
      return key && isSigned(checkpoint, key)
    })
    this.#last = ours.at(-1)
    this.#checked = this.#last
    this.#opened = true
  }

  async #readEnd(): Promise<End | undefined> {
    const { store } = this.#deps
    const { auditHead, auditEvents } = store.tables
    const [end] = await store.db
      .select({ head: auditHead, row: auditEvents })
      .from(auditHead)
      .leftJoin(auditEvents, eq(auditEvents.seq, auditHead.seq))
      .where(eq(auditHead.id, 1))
    return end
  }

  async #follow({ head, row }: End): Promise<void> {
    const { keys, clock, files } = this.#deps
    if (head.seq === 0) return
    const last = this.#last
    if (!row) {
      // What is written next follows the head, and is signed anew.
      this.#last = undefined
      return this.#tell('truncated', head.seq)
    }
    if (row.hash !== head.hash || !isGenuine(row, keys.macs)) {
      const isNew = last !== undefined && head.seq > last.seq && hashOf(canonical(row)) === row.hash
      return this.#tell(isNew ? 'inserted' : 'modified', head.seq)
    }
    if (last && last.seq === head.seq && last.hash === head.hash) return
    if (last && head.epoch === last.epoch) await this.#lookAt(last, head.seq)
    await this.#check(head)
    this.#last = signCheckpoint({ ...head, time: clock.now() }, keys.signer)
    await files.append(this.#last)
  }

  /** The event that was signed last must still be there, as it was. */
  async #lookAt(last: Checkpoint, end: number): Promise<void> {
    const { store, keys } = this.#deps
    const { auditEvents } = store.tables
    const [row] = await store.db.select().from(auditEvents).where(eq(auditEvents.seq, last.seq))
    if (row?.hash === last.hash && isGenuine(row, keys.macs)) return
    if (!row && (await this.prunedTo()) >= last.seq) return
    if (!row && end < last.seq) await this.#tell('rolled back', end + 1, last.seq)
    else if (!row) await this.#tell('missing', last.seq)
    else await this.#tell(isGenuine(row, keys.macs) ? 'rolled back' : 'modified', last.seq)
    this.#checked = undefined
  }

  async #check(head: { seq: number; hash: string }): Promise<void> {
    const { store, keys, broken } = this.#deps
    const { auditEvents } = store.tables
    this.#checked ??= head
    if (this.#checked.seq > head.seq) this.#checked = head
    for (let left = MOST_A_TURN; left > 0 && this.#checked.seq < head.seq; left -= BATCH) {
      const after: { seq: number; hash: string } = this.#checked
      const rows = await store.db
        .select()
        .from(auditEvents)
        .where(gt(auditEvents.seq, after.seq))
        .orderBy(asc(auditEvents.seq))
        .limit(BATCH)
      const walk = new Walk({ macs: keys.macs, checkpoints: [], after })
      for (const row of rows) walk.add(row)
      const { found } = judge(walk, { checkpoints: [] })
      const prunedTo = found.length > 0 ? await this.prunedTo() : 0
      const told = found.filter(({ kind, to }) => kind !== 'missing' || to > prunedTo)
      if (told.length > 0) await broken(told)
      this.#checked = rows.at(-1) ?? head
    }
  }

  /** How far retention says in the log that it has dropped events. */
  async prunedTo(): Promise<number> {
    const { store, keys } = this.#deps
    const { auditEvents } = store.tables
    const [row] = await store.db
      .select()
      .from(auditEvents)
      .where(eq(auditEvents.event, PRUNED))
      .orderBy(desc(auditEvents.time), desc(auditEvents.seq))
      .limit(1)
    return row && isGenuine(row, keys.macs) ? (edgeOfEvent(row)?.seq ?? 0) : 0
  }

  async #tell(kind: Found['kind'], seq: number, to = seq): Promise<void> {
    await this.#deps.broken([{ kind, seq, to }])
  }
}
