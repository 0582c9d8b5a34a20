import type { Store } from '@/db/store'
import { type Caller, noted } from '@/server/audit'
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

export function openOperations(deps: OperationsDeps): Operations {
  const { inspect } = deps
  async function reach(act: Promise<boolean>): Promise<void> {
    if (await act) return
    throw new HoldfastError('NOT_FOUND', {
      message: 'That session has ended meanwhile.',
      remedy: 'Nothing is left to do; the list shows who is there now.',
    })
  }

  return {
    cancelSession: (by, target) =>
      noted(deps, {
        ...{ by, event: 'sys_database_statement_cancelled', target: `backend:${target.pid}` },
        act: () => reach(inspect().cancel(target)),
      }),
    terminateSession: (by, target) =>
      noted(deps, {
        ...{ by, event: 'sys_database_session_terminated', target: `backend:${target.pid}` },
        act: () => reach(inspect().terminate(target)),
      }),
    maintain: (by, what) =>
      noted(deps, {
        ...{ by, event: 'sys_database_maintained', target: what },
        act: () => inspect().maintain(what),
      }),
  }
}
