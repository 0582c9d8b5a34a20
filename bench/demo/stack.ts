import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { makeLibrary } from '@/db/testing/library'
import { findPostgresBinaries, hasLibrary } from '@/db/testing/postgres-place'
import { makeFolder, removeFolder } from '@/db/testing/processes'
import { startReceiver } from '@/db/testing/receivers'
import {
  type PostgresServer,
  type RedisCluster,
  type ReplicaServer,
  startPostgres,
  startRedisCluster,
  startReplica,
} from '@/db/testing/servers'
import { type RunningConsole, startConsole } from '@/e2e/server'

export interface Stack {
  console: RunningConsole
  primary: PostgresServer
  replica: ReplicaServer
  cluster: RedisCluster
  /** The database of the console and of the sample application. */
  database: string
  /** Where a migration may go. */
  warehouse: string
  /** An address that takes alerts. */
  receiver: string
  stop(): Promise<void>
}

/** The servers, a folder with a SQLite file to migrate, and a console on all of it; `rows` is about what the file holds. */
export async function startStack({ rows }: { rows: number }): Promise<Stack> {
  const stops: (() => Promise<unknown> | unknown)[] = []
  const stop = async () => {
    for (const step of stops.splice(0).reverse()) await step()
  }
  try {
    const counting = hasLibrary(findPostgresBinaries() ?? '', 'pg_stat_statements')
    const primary = await startPostgres({
      settings: counting ? { shared_preload_libraries: 'pg_stat_statements' } : {},
    })
    stops.push(() => primary.stop())
    const { database } = await primary.createDatabase('holdfast')
    const { database: warehouse } = await primary.createDatabase('warehouse')
    if (counting) await primary.query('CREATE EXTENSION pg_stat_statements', [], database)
    const replica = await startReplica(primary)
    stops.push(() => replica.stop())
    const cluster = await startRedisCluster(6)
    stops.push(() => cluster.stop())
    const receiver = await startReceiver(() => 204)
    stops.push(() => receiver.close())
    const folder = makeFolder('demo')
    stops.push(() => removeFolder(folder))
    const sources = join(folder, 'sources')
    mkdirSync(sources)
    makeLibrary(join(sources, 'library.db'), rows)
    const console = await startConsole({
      root: join(process.cwd(), '.next/standalone'),
      dataDir: join(folder, 'data'),
      env: {
        ...{ DB_TYPE: 'postgresql', DB_HOST: primary.host, DB_PORT: String(primary.port), DB_NAME: database },
        ...{ DB_USER: primary.user, DB_PASSWORD: primary.password },
        ...{ DB_READ_HOST: replica.host, DB_READ_PORT: String(replica.port) },
        ...{ REDIS_CLUSTER_ENABLED: 'true', REDIS_CLUSTER_NODES: cluster.addresses },
        // The demo speaks for people elsewhere, as a proxy does.
        ...{ TRUSTED_PROXIES: '127.0.0.1', OUTBOUND_ALLOW: '127.0.0.0/8', MIGRATION_SOURCE_DIRS: sources },
        TWO_FA_WINDOW: '10',
      },
    })
    stops.push(() => console.stop())
    return { console, primary, replica, cluster, database, warehouse, receiver: receiver.url, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
