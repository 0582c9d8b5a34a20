import { Client } from 'pg'
import type { PostgresServer } from '@/db/testing/servers'
import { createDatabase, sharedPostgres } from '@/db/testing/shared'
import { openLog } from '@/server/log'
import { PostgresPool } from '../pool/pool'
import { inspectPostgres } from './postgres'
import type { Inspector } from './types'

export type Place = Pick<PostgresServer, 'host' | 'port' | 'user' | 'password' | 'database'>

const LIMITS = { min: 1, max: 3, acquireTimeout: 5_000, idleTimeout: 10_000 }

export interface Bench {
  place: Place
  /** Opens a pool and its inspection; ended when the test ends. Every open transaction is a long one. */
  open(as?: Partial<Place>): { pool: PostgresPool; inspect: Inspector }
  /** A client of its own beside the layer. */
  client(application?: string, as?: Partial<Place>): Promise<Client>
  later(step: () => unknown): void
  undo(): Promise<void>
}

/** A database of its own in the run's server, or the first one of a server of its own. */
export async function bench(server?: PostgresServer): Promise<Bench> {
  const steps: (() => unknown)[] = []
  const place = server ? { ...server, port: server.port } : sharedPostgres()
  const { host, port, user, password } = place
  const made = server ? undefined : await createDatabase()
  if (made) steps.push(made.drop)
  const at: Place = { host, port, user, password, database: made?.database ?? 'postgres' }
  return {
    place: at,
    open(as) {
      const pool = new PostgresPool({ log: openLog('error', () => {}) }, { ...at, ...as, ...LIMITS })
      steps.push(() => pool.close(0))
      return { pool, inspect: inspectPostgres(pool, { openedAt: 1, longTransaction: 0 }) }
    },
    async client(application = 'test', as) {
      const client = new Client({ ...at, ...as, application_name: application })
      client.on('error', () => {})
      await client.connect()
      steps.push(() => client.end())
      return client
    },
    later: (step) => steps.push(step),
    async undo() {
      for (const step of steps.splice(0).reverse()) await step()
    },
  }
}

/** Process id and beginning of a client's session, as the inspection names it. */
export async function sessionOf(client: Client): Promise<{ pid: number; startedAt: number }> {
  const { rows } = await client.query(`
    SELECT pid, floor(extract(epoch FROM backend_start)::float8 * 1000) AS at
      FROM pg_stat_activity WHERE pid = pg_backend_pid()`)
  return { pid: rows[0].pid, startedAt: rows[0].at }
}
