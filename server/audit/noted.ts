import type { Store } from '@/db/store'
import type { Clock } from '@/server/clock'
import type { Log } from '@/server/log'
import { type AuditEventName, type Caller, recordAudit } from './append'

export interface Action<T> {
  by: Caller
  event: AuditEventName
  target: string
  act: () => Promise<T>
  /** What the event says of the result. */
  after?: (result: T) => Record<string, unknown>
}

/**
 * Acts outside the store first and notes it then, with its outcome: what is acted on may be what holds up the store
 * itself. Where even then nothing can be noted, the log tells what was done. Throws what `act` throws.
 */
export async function noted<T>(
  { store, clock, log }: { store: Store; clock: Clock; log: Log },
  { by, event, target, act, after }: Action<T>,
): Promise<T> {
  const note = (outcome: 'success' | 'failure', said: Record<string, unknown> | null = null) =>
    store
      .run(recordAudit, { ...by, time: clock.now(), event, outcome, target, after: said })
      .catch((error: unknown) => log.error({ error, event, target, outcome }, 'not noted in the audit log'))
  let result: T
  try {
    result = await act()
  } catch (error) {
    await note('failure')
    throw error
  }
  await note('success', after?.(result))
  return result
}
