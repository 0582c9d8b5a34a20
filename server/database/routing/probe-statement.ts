import type { Client } from 'pg'
import { databaseCode } from '@/db/errors'
import { MARK } from '../inspect/mark'

/** What a server says of itself. */
export interface Answer {
  recovering: boolean
  /** Null where it can't be read. On a replica without the right to see its receiver it may be too low. */
  timeline: number | null
  systemIdentifier: string | null
  /** Replayed on a replica, inserted on a primary. */
  lsn: bigint | null
  /** When the server started: it tells one server from another behind the same address. */
  startedAt: string
  /** Refuses writes by default_transaction_read_only. */
  readOnly: boolean
}

interface Row {
  recovering: boolean
  timeline: string | null
  system: string | null
  lsn: string | null
  started: string
  read_only: boolean
}

/**
 * Everybody may call these functions unless somebody revoked it; who runs a replica's receiver is told to members of
 * pg_read_all_stats alone. The control file knows its timeline too, at the latest from the next restart point on.
 */
const FULL = `${MARK}
  SELECT recovering,
         (CASE WHEN recovering THEN pg_last_wal_replay_lsn()
               ELSE pg_current_wal_insert_lsn() END - '0/0'::pg_lsn)::text             AS lsn,
         CASE WHEN recovering
              THEN greatest((SELECT received_tli FROM pg_stat_wal_receiver),
                            (SELECT timeline_id FROM pg_control_checkpoint()),
                            (SELECT min_recovery_end_timeline FROM pg_control_recovery()))::text
              ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint::text
         END                                                                         AS timeline,
         (SELECT system_identifier::text FROM pg_control_system())                   AS system,
         pg_postmaster_start_time()::text                                            AS started,
         current_setting('default_transaction_read_only')::boolean                   AS read_only
    FROM (SELECT pg_is_in_recovery() AS recovering OFFSET 0) AS state`

/** For servers that keep their control file, or their WAL, to themselves. */
const LEAST = `${MARK}
  SELECT pg_is_in_recovery()                                       AS recovering,
         NULL AS lsn, NULL AS timeline, NULL AS system,
         pg_postmaster_start_time()::text                          AS started,
         current_setting('default_transaction_read_only')::boolean AS read_only`

/** Refused, unknown or not supported here: 42501, 42883, 0A000. */
const REFUSED = /^(42501|42883|0A000)$/

/** Asks a server what it is, in one statement; in two where it keeps something to itself. */
export async function askServer(client: Client): Promise<Answer> {
  const rows = await client.query<Row>(FULL).catch((error) => {
    if (REFUSED.test(databaseCode(error) ?? '')) return client.query<Row>(LEAST)
    throw error
  })
  const row = rows.rows[0] as Row
  return {
    recovering: row.recovering,
    // 0: nothing has been recovered to an end yet.
    timeline: Number(row.timeline) || null,
    systemIdentifier: row.system,
    lsn: row.lsn === null ? null : BigInt(row.lsn),
    startedAt: row.started,
    readOnly: row.read_only,
  }
}
