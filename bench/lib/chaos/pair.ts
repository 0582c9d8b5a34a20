import { type PostgresServer, startPostgres, startReplica } from '@/db/testing/servers'

/** A place to connect to, as the superuser of these servers. */
export type Place = Pick<PostgresServer, 'host' | 'port' | 'user' | 'password' | 'database'>

/** A primary and its synchronous replica, and how they fail. */
export interface Pair {
  places: readonly [Place, Place]
  /** Rows of one statement at the first or second server. */
  ask<Row extends object>(at: 0 | 1, text: string, values?: unknown[]): Promise<Row[]>
  /** Kills the primary, as a machine that loses power. */
  kill(): Promise<void>
  /** Makes the replica the primary, or waits until somebody else has done so. Resolves when it says that it is one. */
  promote(): Promise<void>
  /** The old primary's machine is back, with its data as they were. */
  comeBack(): Promise<void>
  stop(): Promise<void>
}

/** Two servers that nobody looks after but this program. */
export async function plainPair(): Promise<Pair> {
  const primary = await startPostgres()
  const replica = await startReplica(primary, { synchronous: true })
  const servers: readonly [PostgresServer, PostgresServer] = [primary, replica]
  return {
    places: [placeOf(primary), placeOf(replica)],
    ask: (at, text, values) => servers[at].query(text, values),
    kill: () => primary.kill9(),
    async promote() {
      await replica.promote()
      // Its copy was made before commits waited for anybody; if that should change, they must not hang here.
      await replica.query('ALTER SYSTEM RESET synchronous_standby_names')
      await replica.query('SELECT pg_reload_conf()')
    },
    comeBack: () => primary.start(),
    async stop() {
      await replica.stop()
      await primary.stop()
    },
  }
}

function placeOf({ host, port, user, password, database }: Place): Place {
  return { host, port, user, password, database }
}
