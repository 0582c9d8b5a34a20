import type { PostgresServer } from '@/db/testing/servers'

/** A statement with the index that an expert would add for it, or none. */
export interface Labelled {
  name: string
  /** As an application sends it: values as $n, and constants where the code has constants. */
  text: string
  calls: number
  /** Values to time it with: usual ones and, where the column is skewed, a frequent one. Dates are strings. */
  values: unknown[][]
  /** 'table (columns) WHERE …' of the right index, best first; each is proved by itself. Empty: none. */
  right: string[]
  /** Columns of which the proof of a 'none' makes every one- and two-column index: all that the statement names. */
  tried?: Record<string, string[]>
}

/** A database as some application keeps it, and what that application does with it. */
export interface Work {
  name: string
  /** Tables and rows, in one transaction: nothing is logged twice. */
  schema: string
  fill: string
  /** Made after the rows, which is quicker: what is there beside primary keys and unique columns. */
  indexes: string
  rows: Record<string, number>
  statements: Labelled[]
  /** What is written to each table, one row and one commit at a time; $1 is a new number. */
  writes: Record<string, Writes>
}

export interface Writes {
  texts: string[]
  /** The column that holds the new number. */
  key: string
}

export const indexed = (
  name: string,
  right: string[],
  text: string,
  values: unknown[][] = [[]],
  calls = 1000,
): Labelled => ({ name, right, text, values, calls })

export const none = (
  name: string,
  tried: Record<string, string[]>,
  text: string,
  values: unknown[][] = [[]],
  calls = 1000,
): Labelled => ({ name, right: [], tried, text, values, calls })

/** A server as one would run it, but for parallel workers and JIT, whose use would depend on the other load. */
export const SERVER = {
  wal_level: 'minimal',
  max_wal_senders: 0,
  fsync: 'on',
  synchronous_commit: 'on',
  shared_buffers: '3GB',
  max_wal_size: '8GB',
  maintenance_work_mem: '512MB',
  work_mem: '64MB',
  max_parallel_workers_per_gather: 0,
  max_parallel_maintenance_workers: 0,
  jit: 'off',
  autovacuum: 'off',
  effective_cache_size: '8GB',
}

/** Creates the database of a work and fills it. */
export async function loadWork(server: PostgresServer, work: Work): Promise<string> {
  const { database, url } = await server.createDatabase(work.name)
  await server.query(`BEGIN; ${work.schema} ${work.fill} ${work.indexes} COMMIT;`, undefined, database)
  await server.query('VACUUM (ANALYZE)', undefined, database)
  await server.query('CHECKPOINT')
  return url
}
