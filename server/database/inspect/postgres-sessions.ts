import { HoldfastError } from '@/server/errors'
import { quoteName } from '../advisor/normalise'
import { type Ask, type Inspection, type Row, refusal } from './connection'
import { shown } from './text'
import type { Missing, ServerSession, ServerSessions } from './types'

const DEADLINE = 3_000
const MOST = 2_000

/** Text and number of milliseconds are compared as they were read: the same expression stands in both places. */
const STARTED_AT = 'floor(extract(epoch FROM backend_start)::float8 * 1000)'

/**
 * Locks are asked for only of who waits for one: the answer holds up the server's lock table. Who may not see
 * others sees neither their type nor what they wait for.
 */
const SESSIONS = `
  SELECT pid, ${STARTED_AT} AS started_at, usename, application_name, datname,
         host(client_addr) AS client, state, wait_event_type, wait_event, left(query, 16384) AS query,
         extract(epoch FROM xact_start)::float8 * 1000                       AS transaction_started_at,
         extract(epoch FROM query_start)::float8 * 1000                      AS statement_started_at,
         CASE WHEN wait_event_type = 'Lock' OR backend_type IS NULL THEN pg_blocking_pids(pid) END AS blocked_by
    FROM pg_stat_activity
   WHERE (backend_type = 'client backend' OR backend_type IS NULL AND usesysid IS NOT NULL)
     AND NOT pid = ANY ($1)
   ORDER BY state = 'active' DESC NULLS LAST, xact_start NULLS LAST, pid
   LIMIT ${MOST}`

const RIGHTS = `
  SELECT current_user AS name, pg_has_role('pg_read_all_stats', 'USAGE') AS all_of_them`

/**
 * The clients of the server, those that run a statement first, ${MOST} at most. Connections of this inspection
 * are left out. A blocker with process id 0 is a prepared transaction.
 */
export function readSessions(inspection: Inspection): Promise<ServerSessions> {
  return inspection.within(DEADLINE, async (ask) => {
    const rows = await ask(SESSIONS, [inspection.pids])
    const ours = new Set(inspection.pool.processes())
    return { sessions: rows.map((row) => toSession(row, ours)), missing: await missingRights(ask) }
  })
}

/** What a role that sees only itself needs; null for one that sees everybody. */
export async function missingRights(ask: Ask): Promise<Missing | null> {
  const [rights] = await ask(RIGHTS)
  if (rights?.all_of_them === true) return null
  return {
    kind: 'no-permission',
    message: `The role ${rights?.name} sees what its own sessions do, but not what others do.`,
    remedy: `GRANT pg_read_all_stats TO ${quoteName(String(rights?.name))}`,
  }
}

const STATES = new Set(['active', 'idle', 'idle in transaction', 'idle in transaction (aborted)'])

function toSession(row: Row, ours: ReadonlySet<number>): ServerSession {
  const hidden = row.started_at === null
  const state = STATES.has(String(row.state)) ? (row.state as ServerSession['state']) : 'other'
  return {
    pid: Number(row.pid),
    startedAt: time(row.started_at),
    user: textOf(row.usename),
    application: textOf(row.application_name) ?? '',
    database: textOf(row.datname),
    client: textOf(row.client),
    state,
    waitsFor: waitOf(row, state),
    statement: hidden || !row.query ? null : shown(String(row.query)),
    transactionStartedAt: time(row.transaction_started_at),
    statementStartedAt: time(row.statement_started_at),
    blockedBy: [...new Set((row.blocked_by as number[] | null) ?? [])],
    ours: ours.has(Number(row.pid)),
  }
}

/** A session without work waits for its client: that is no wait. */
function waitOf(row: Row, state: ServerSession['state']): string | null {
  if (!row.wait_event_type || (row.wait_event_type === 'Client' && state !== 'active')) return null
  return `${row.wait_event_type}: ${row.wait_event}`
}

const textOf = (value: unknown): string | null => (value === null ? null : String(value))
const time = (value: unknown): number | null => (value === null ? null : Math.floor(Number(value)))

/** One statement finds the session and signals it: a process id that was given out again is never hit. */
const signal = (act: 'pg_cancel_backend' | 'pg_terminate_backend') => `
  SELECT ${act}(pid) AS reached
    FROM pg_stat_activity
   WHERE pid = $1 AND ${STARTED_AT} = $2 AND backend_type = 'client backend' AND NOT pid = ANY ($3)`

/**
 * Cancels the statement of a session or ends it; false when it has gone. Throws FORBIDDEN where the role may not:
 * sessions of superusers are for superusers.
 */
export async function signalSession(
  inspection: Inspection,
  act: 'cancel' | 'terminate',
  { pid, startedAt }: { pid: number; startedAt: number },
): Promise<boolean> {
  try {
    return await inspection.within(DEADLINE, async (ask) => {
      const [row] = await ask(signal(`pg_${act}_backend`), [pid, startedAt, inspection.pids])
      return row?.reached === true
    })
  } catch (error) {
    if (refusal(error) !== '42501') throw error
    const { user } = inspection.pool.config
    throw new HoldfastError(
      'FORBIDDEN',
      {
        message: `The role ${user} may not ${act === 'cancel' ? 'cancel statements of' : 'end'} this session.`,
        remedy: `GRANT pg_signal_backend TO ${quoteName(user)}. Sessions of superusers can only be ended by a superuser.`,
      },
      { cause: error },
    )
  }
}
