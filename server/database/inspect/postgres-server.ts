import { quoteName } from '../advisor/normalise'
import { type Ask, attempt, type Inspection, type Row } from './connection'
import { missingRights } from './postgres-sessions'
import { shown } from './text'
import type { Missing, ServerFacts } from './types'

const DEADLINE = 4_000

/** Where the log ends: written on a primary, replayed on a replica. */
const END = `
  (SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END AS lsn) AS log`

/** Prepared transactions have no process: they stay until somebody ends them. */
const TRANSACTIONS = `
  SELECT pid, usename, application_name, extract(epoch FROM xact_start)::float8 * 1000 AS started_at,
         left(query, 16384) AS query
    FROM pg_stat_activity
   WHERE backend_type = 'client backend' AND NOT pid = ANY ($1)
     AND xact_start <= clock_timestamp() - $2 * interval '1 ms'
   UNION ALL
  SELECT 0, owner, 'prepared transaction', extract(epoch FROM prepared)::float8 * 1000, NULL
    FROM pg_prepared_xacts
   WHERE prepared <= clock_timestamp() - $2 * interval '1 ms'
   ORDER BY started_at
   LIMIT 100`

/** PostgreSQL manual, "Preventing Transaction ID Wraparound Failures". */
const WRAPAROUND = `
  SELECT datname, age(datfrozenxid) AS age
    FROM pg_database
   ORDER BY age(datfrozenxid) DESC
   LIMIT 1`

const SLOTS = `
  SELECT slot_name, slot_type, active, pg_wal_lsn_diff(log.lsn, restart_lsn)::float8 AS retained
    FROM pg_replication_slots, ${END}
   ORDER BY retained DESC NULLS LAST`

const FOLLOWERS = `
  SELECT application_name, host(client_addr) AS address, state, sync_state,
         greatest(pg_wal_lsn_diff(log.lsn, replay_lsn), 0)::float8 AS lag
    FROM pg_stat_replication, ${END}
   ORDER BY application_name, pid`

const WAL = 'SELECT sum(size)::float8 AS bytes FROM pg_ls_waldir()'

/** The server beyond its tables. What the role may not see is empty, and `missing` says what it needs. */
export function readServer(inspection: Inspection, longMs: number): Promise<ServerFacts> {
  return inspection.within(DEADLINE, async (ask) => {
    const refused = new Set<string>()
    const part = async (text: string, values?: unknown[]): Promise<Row[]> => {
      const rows = await attempt(ask, text, values)
      if (typeof rows !== 'string') return rows
      refused.add(rows)
      return []
    }
    const transactions = await part(TRANSACTIONS, [inspection.pids, longMs])
    const [oldest] = await part(WRAPAROUND)
    const [wal] = await part(WAL)
    return {
      longTransactions: transactions.map(toTransaction),
      wraparound: oldest ? toWraparound(oldest) : null,
      slots: (await part(SLOTS)).map(toSlot),
      walBytes: number(wal?.bytes),
      followers: (await part(FOLLOWERS)).map(toFollower),
      missing: await missingHere(ask, refused, inspection.pool.config.user),
    }
  })
}

/** pg_monitor holds both the right to see others and the one to see the WAL folder. */
async function missingHere(ask: Ask, refused: ReadonlySet<string>, user: string): Promise<Missing | null> {
  if (refused.has('42501')) {
    return {
      kind: 'no-permission',
      message: `The role ${user} may not see all of this: sizes of the WAL, transactions and replicas need a right.`,
      remedy: `GRANT pg_monitor TO ${quoteName(user)}`,
    }
  }
  if (refused.size === 0) return missingRights(ask)
  return {
    kind: 'not-enabled',
    message: `PostgreSQL did not answer all of this (${[...refused].join(', ')}).`,
    remedy: null,
  }
}

function toTransaction(row: Row): ServerFacts['longTransactions'][number] {
  return {
    pid: Number(row.pid),
    user: row.usename === null ? null : String(row.usename),
    application: String(row.application_name ?? ''),
    startedAt: Math.floor(Number(row.started_at)),
    statement: row.query ? shown(String(row.query)) : null,
  }
}

function toWraparound(row: Row): NonNullable<ServerFacts['wraparound']> {
  const age = Number(row.age)
  return { database: String(row.datname), age, share: age / 2 ** 31 }
}

function toSlot(row: Row): ServerFacts['slots'][number] {
  return {
    name: String(row.slot_name),
    type: String(row.slot_type),
    active: row.active === true,
    retainedBytes: number(row.retained),
  }
}

function toFollower(row: Row): ServerFacts['followers'][number] {
  return {
    application: String(row.application_name ?? ''),
    address: row.address === null ? null : String(row.address),
    state: String(row.state ?? 'hidden'),
    sync: String(row.sync_state ?? 'hidden'),
    lagBytes: number(row.lag),
  }
}

const number = (value: unknown): number | null => (value == null ? null : Number(value))
