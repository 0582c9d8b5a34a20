import type { Store } from '@/db/store'
import type { Clock } from '@/server/clock'
import type { Log } from '@/server/log'
import { Repeating } from '@/server/repeating'
import type { AuditEvent } from './append'
import { openAuditWriter } from './writer'

/** Notes refusals that somebody may cause in a loop: a handful of events a key and minute, which count the others. */
export interface BoundedNotes {
  /**
   * Writes the first of a key in a minute at once, and then the tenth, the hundredth …, each with the `count` of those
   * since the one before; the end of the minute tells of the rest. Never throws, and waits for nothing.
   */
  note(key: string, event: Omit<AuditEvent, 'time'>): void
  /** Writes what was counted and not told yet, of minutes that are over. */
  sweep(): Promise<void>
  /** Sweeps every minute. */
  start(): void
  /** Writes all that was not told yet. Nothing is taken afterwards. */
  close(): Promise<void>
}

interface Entry {
  event: Omit<AuditEvent, 'time'>
  untold: number
  /** In this minute. */
  count: number
  begunAt: number
}

const WINDOW_MS = 60_000
/** Keys that are remembered at once: beyond, refusals of new keys are counted under one. */
const MOST = 5_000

export function openBoundedNotes(
  { store, clock, log }: { store: Store; clock: Clock; log: Log },
  { most = MOST }: { most?: number } = {},
): BoundedNotes {
  const writer = openAuditWriter({ store })
  const entries = new Map<string, Entry>()
  const writing = new Set<Promise<unknown>>()

  function write(entry: Entry, now: number): void {
    const { event, untold } = entry
    Object.assign(entry, { untold: 0 })
    const after = untold > 1 ? { ...event.after, count: untold } : (event.after ?? null)
    const written = writer
      .write({ ...event, after, time: now })
      // A refusal must not depend on a store that takes writes.
      .catch((error: unknown) => log.warn({ error, event: event.event }, 'not noted in the audit log'))
    writing.add(written)
    void written.finally(() => writing.delete(written))
  }

  async function sweep(all: boolean): Promise<void> {
    const now = clock.now()
    for (const [key, entry] of entries) {
      const over = entry.begunAt + WINDOW_MS <= now
      if (entry.untold > 0 && (over || all)) write(entry, now)
      else if (over) entries.delete(key)
    }
    await Promise.all(writing)
  }

  const repeating = new Repeating({
    ...{ period: WINDOW_MS, pace: 'begin-to-begin', tick: () => sweep(false) },
    failed: (error) => log.warn({ error }, 'refusals were not noted in the audit log'),
  })

  return {
    note(wanted, event) {
      const now = clock.now()
      const key = entries.has(wanted) || entries.size < most ? wanted : `others|${event.event}`
      const entry = entries.get(key) ?? { event, untold: 0, count: 0, begunAt: now }
      if (entry.begunAt + WINDOW_MS <= now) Object.assign(entry, { count: 0, begunAt: now })
      Object.assign(entry, { event, untold: entry.untold + 1, count: entry.count + 1 })
      entries.set(key, entry)
      if (Number.isInteger(Math.log10(entry.count))) write(entry, now)
    },
    sweep: () => sweep(false),
    start: () => repeating.start(),
    async close() {
      await repeating.stop()
      await sweep(true)
      await writer.close()
    },
  }
}
