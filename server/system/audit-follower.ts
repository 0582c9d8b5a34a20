import { eq } from 'drizzle-orm'
import type { Store } from '@/db/store'
import { endsWithin } from '@/server/patience'

export interface AuditFollowerDeps {
  store: Pick<Store, 'db' | 'tables'>
  /** Told of the last event's seq whenever it is another one. */
  publish: (seq: number) => void
}

/** How long an answer is waited for: what comes later is told by the next look. */
const PATIENCE_MS = 900

/** Tells of events in the audit log, whichever instance or command has written them. */
export class AuditFollower {
  readonly #deps: AuditFollowerDeps
  #seq: number | undefined
  #asking = false

  constructor(deps: AuditFollowerDeps) {
    this.#deps = deps
  }

  /** Looks once. A store that is away, or slow, is looked at again the next time. */
  async look(): Promise<void> {
    if (this.#asking) return
    this.#asking = true
    const asked = this.#ask()
      .catch(() => {})
      .finally(() => {
        this.#asking = false
      })
    await endsWithin(PATIENCE_MS, asked)
  }

  async #ask(): Promise<void> {
    const { db, tables } = this.#deps.store
    const { auditHead } = tables
    const [head] = await db.select({ seq: auditHead.seq }).from(auditHead).where(eq(auditHead.id, 1))
    if (!head || head.seq === this.#seq) return
    this.#seq = head.seq
    this.#deps.publish(head.seq)
  }
}
