import { databaseCode } from '@/db/errors'
import type { Store } from '@/db/store'
import { unit } from '@/db/unit'
import { HoldfastError, isHoldfastError } from '../errors'
import { type AuditEvent, appendAuditBatch, mostInBatch } from './append'

/** Writes events that belong to no other change: refusals, reports, limits that were hit. */
export interface AuditWriter {
  /**
   * Answers the event's seq after its commit. Throws DATABASE_UNAVAILABLE when too many wait already, and whatever
   * the store throws.
   */
  write(event: AuditEvent): Promise<number>
  /** Resolves when everything that was given has been written or refused; nothing is taken afterwards. */
  close(): Promise<void>
}

interface Waiting {
  event: AuditEvent
  done(seq: number): void
  refuse(error: unknown): void
}

/** Writes events that belong to no other change, at most 500, all of them or none. */
export const recordAuditBatch = unit('audit.record-batch', (tx, events: AuditEvent[]) =>
  appendAuditBatch(tx, events),
)

/**
 * Opens a writer that commits together what was given while the batch before was being written: a burst of events
 * waits for a few transactions, not for one each. At most `most` events wait.
 */
export function openAuditWriter({ store }: { store: Store }, { most = 10_000 } = {}): AuditWriter {
  let queue: Waiting[] = []
  let running: Promise<void> | undefined
  let closed = false

  async function work(): Promise<void> {
    // What comes in the same turn of the event loop goes in the same batch.
    await new Promise((resolve) => setImmediate(resolve))
    while (queue.length > 0) {
      const batch = queue.slice(0, mostInBatch)
      queue = queue.slice(mostInBatch)
      await commit(batch)
    }
    running = undefined
  }

  async function commit(batch: Waiting[]): Promise<void> {
    try {
      const { first } = await store.run(
        recordAuditBatch,
        batch.map(({ event }) => event),
      )
      for (const [at, { done }] of batch.entries()) done(first + at)
    } catch (error) {
      const fault = !isHoldfastError(error) && databaseCode(error) === undefined
      // One event that cannot be written down at all must not take the others with it.
      if (fault && batch.length > 1) for (const each of batch) await commit([each])
      else for (const { refuse } of batch) refuse(error)
    }
  }

  return {
    write(event) {
      if (closed || queue.length >= most) return Promise.reject(refusal(closed, most))
      return new Promise((done, refuse) => {
        queue.push({ event, done, refuse })
        running ??= work()
      })
    },
    async close() {
      closed = true
      await running
    },
  }
}

function refusal(closed: boolean, most: number): HoldfastError {
  return closed
    ? new HoldfastError('SHUTTING_DOWN', 'The console is stopping: the audit log takes no more events.')
    : new HoldfastError('DATABASE_UNAVAILABLE', {
        message: `${most} events wait for the audit log already.`,
        remedy: 'Try again in a moment; the database page shows what takes long.',
        retryAfterMs: 1_000,
      })
}
