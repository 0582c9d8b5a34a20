import { databaseCode } from '@/db/errors'
import type { PgConnection, PgHandle } from '@/db/open'
import { wasLost } from '../failures'
import type { Asked } from '../pool/lend'
import { isRefusedWrite, outcomeUnknown } from './trouble'

export type Query = (asked: string | Asked, values?: unknown[]) => Promise<unknown>

interface Answer {
  command: string
  rows: Record<string, unknown>[]
}

export interface Followed {
  /** A transaction that wrote has committed; `lsn` is at or after its end. */
  committed(lsn: bigint): void
  /** The server refused to write. */
  refused(): void
  released(): void
}

/** Where the log stands, as a number of bytes. */
export const WRITTEN = `SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::text AS lsn`

/**
 * COMMIT, with the place in the log that it reached and whether anything was written at all: in one message, so that
 * it takes no round trip more. The last statement runs in a transaction of its own.
 */
const COMMIT_TELLING = `SELECT txid_current_if_assigned() IS NOT NULL AS wrote; COMMIT; ${WRITTEN}`
const COMMIT = /^\s*(?:commit|end)(?:\s+(?:work|transaction))?\s*;?\s*$/i

/** A borrowed connection with an eye on its commits. */
export function follow(connection: PgConnection, { committed, refused, released }: Followed): PgConnection {
  const send = connection.query as unknown as Query
  let over = false
  const commit = async (): Promise<unknown> => {
    try {
      const answers = (await send.call(connection, COMMIT_TELLING)) as unknown as Answer[]
      const [before, commit, after] = answers
      if (before?.rows[0]?.wrote === true) committed(BigInt(String(after?.rows[0]?.lsn)))
      return commit
    } catch (error) {
      // It had failed already: COMMIT ends it by rolling back, and says so.
      if (databaseCode(error) === '25P02') return send.call(connection, 'COMMIT')
      throw uncommitted(error)
    }
  }
  const query = async (asked: string | Asked, values?: unknown[]): Promise<unknown> => {
    const text = typeof asked === 'string' ? asked : asked?.text
    if (COMMIT.test(text)) return commit()
    try {
      return await send.call(connection, asked, values)
    } catch (error) {
      if (isRefusedWrite(error)) refused()
      throw error
    }
  }
  return {
    // A COPY stream or a cursor is answered at once, by itself.
    query: ((asked: string | Asked | { submit(): void }, values?: unknown[]) =>
      typeof (asked as { submit?: unknown })?.submit === 'function'
        ? send.call(connection, asked as Asked)
        : query(asked as Asked, values)) as unknown as PgHandle['query'],
    commit: async () => {
      await commit()
    },
    release: (destroy) => {
      if (!over) released()
      over = true
      connection.release(destroy)
    },
  }
}

/** The same without replicas: COMMIT tells what its own loss means. */
export function plain(connection: PgConnection): PgConnection {
  const { query, release } = connection
  return {
    query,
    release,
    commit: async () => {
      await (query as unknown as Query)('COMMIT').catch((error: unknown) => {
        throw uncommitted(error)
      })
    },
  }
}

/** Lost, or cancelled behind the COMMIT: nobody knows. Anything else is PostgreSQL's word that it was rolled back. */
function uncommitted(error: unknown): unknown {
  return wasLost(error) || databaseCode(error) === '57014' ? outcomeUnknown(error) : error
}
