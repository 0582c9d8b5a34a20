import type { Store } from '@/db/store'
import { type Caller, recordAudit } from '@/server/audit'
import type { Clock } from '@/server/clock'
import { HoldfastError } from '@/server/errors'
import type { EventFilter } from '../events/filter'
import type { ExportFormat } from './lines'
import { exportPages } from './pages'

export interface EventExport {
  fileName: string
  contentType: string
  /** The file, in pieces of some dozens of kilobytes, read from the store as they are asked for. */
  pieces: AsyncGenerator<string>
}

/** Exports that run at once in one process: each keeps a core of the database busy. */
const mostAtOnce = 4

const types: Record<ExportFormat, string> = {
  ndjson: 'application/x-ndjson; charset=utf-8',
  csv: 'text/csv; charset=utf-8; header=present',
}

/** Hands out the events that a filter means. */
export type Exports = (
  asked: { format: ExportFormat; filter: EventFilter },
  by: Caller,
  signal: AbortSignal,
) => Promise<EventExport>

/**
 * Opens exports of the log. Each is noted in it first, and holds what was there before that: an export without its
 * event does not exist. Throws TOO_MANY_REQUESTS.
 */
export function openExports({ store, clock }: { store: Store; clock: Clock }): Exports {
  let running = 0

  /** A place among those that run, until `signal` is aborted or the answered function is called. */
  function take(signal: AbortSignal): () => void {
    if (running >= mostAtOnce) throw tooMany()
    running++
    let over = false
    const release = () => {
      if (!over) running--
      over = true
    }
    signal.addEventListener('abort', release, { once: true })
    return release
  }

  async function* released(pieces: AsyncGenerator<string>, release: () => void): AsyncGenerator<string> {
    try {
      yield* pieces
    } finally {
      release()
    }
  }

  return async ({ format, filter }, by, signal) => {
    signal.throwIfAborted()
    const release = take(signal)
    try {
      const now = clock.now()
      const seq = await store.run(recordAudit, {
        ...by,
        ...{ time: now, event: 'sensitive_export', outcome: 'success', target: 'audit-log' },
        after: { format, filter },
      })
      const moment = new Date(now).toISOString().replace(/\.\d+|[-:]/g, '')
      return {
        fileName: `holdfast-events-${moment}.${format}`,
        contentType: types[format],
        pieces: released(exportPages({ store }, { filter, format, upTo: seq - 1 }, signal), release),
      }
    } catch (error) {
      release()
      throw error
    }
  }
}

const tooMany = () =>
  new HoldfastError('TOO_MANY_REQUESTS', {
    message: `${mostAtOnce} exports run already.`,
    remedy: 'Try again when one of them has ended.',
    retryAfterMs: 10_000,
  })
