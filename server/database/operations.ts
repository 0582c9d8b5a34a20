import type { Store } from '@/db/store'
import { type AuditEventName, type Caller, recordAudit } from '@/server/audit'
import type { Clock } from '@/server/clock'
import { HoldfastError } from '@/server/errors'
import type { Log } from '@/server/log'
import type { Inspector, Maintained, Maintenance } from './inspect/types'

export interface OperationsDeps {
  store: Store
  clock: Clock
  log: Log
  /** The inspector of the database under the store, which a switchover replaces. */
  inspect: () => Inspector
}

export interface SessionTarget {
  pid: number
  startedAt: number
}

/** What an operator does to the server itself. Each is noted in the audit log with its outcome. */
export interface Operations {
  /** Cancels the statement that a session runs. Throws NOT_FOUND when the session has gone. */
  cancelSession(by: Caller, target: SessionTarget): Promise<void>
  /** Ends a session. Throws NOT_FOUND when it has gone. */
  terminateSession(by: Caller, target: SessionTarget): Promise<void>
  maintain(by: Caller, what: Maintenance): Promise<Maintained>
}

export function openOperations({ store, clock, log, inspect }: OperationsDeps): Operations {
  /**
   * Acts first and notes it then: the session that is ended may be the one that holds up the store itself.
   * Where even then nothing can be noted, the log tells what was done.
   */
  async function noted<T>(
    by: Caller,
    event: AuditEventName,
    target: string,
    act: () => Promise<T>,
  ): Promise<T> {
    const note = (outcome: 'success' | 'failure') =>
      store
        .run(recordAudit, { ...by, time: clock.now(), event, outcome, target })
        .catch((error: unknown) => log.error({ error, event, target, outcome }, 'not noted in the audit log'))
    try {
      const result = await act()
      await note('success')
      return result
    } catch (error) {
      await note('failure')
      throw error
    }
  }

  async function reach(act: Promise<boolean>): Promise<void> {
    if (await act) return
    throw new HoldfastError('NOT_FOUND', {
      message: 'That session has ended meanwhile.',
      remedy: 'Nothing is left to do; the list shows who is there now.',
    })
  }

  return {
    cancelSession: (by, target) =>
      noted(by, 'sys_database_statement_cancelled', `backend:${target.pid}`, () =>
        reach(inspect().cancel(target)),
      ),
    terminateSession: (by, target) =>
      noted(by, 'sys_database_session_terminated', `backend:${target.pid}`, () =>
        reach(inspect().terminate(target)),
      ),
    maintain: (by, what) => noted(by, 'sys_database_maintained', what, () => inspect().maintain(what)),
  }
}
