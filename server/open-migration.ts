import { join } from 'node:path'
import type { Traced } from '@/db/traced'
import type { Clock } from './clock'
import { type Database, openPostgresDatabase, openSqliteDatabase, type TopologyEvent } from './database'
import type { Env } from './env'
import type { Log } from './log'
import { type Migration, type MigrationNews, openMigration } from './migration'
import { envTarget, migrationsFolder, type OpenedStore, poolConfig, storeFile, trusted } from './open-store'
import type { Trace } from './trace'

interface Deps extends Pick<OpenedStore, 'store' | 'vault'> {
  clock: Clock
  log: Log
  publish(news: MigrationNews): void
  /** The database under the store; another one after `adopt`. */
  database(): Database
  adopt(next: Database): void
  /** Takes the data folder for this process alone, unless it has it. Throws when another one serves it. */
  takeFolder(): void
  /** Names of the other consoles that serve the store. */
  others(): Promise<string[]>
  /** Told of the database that was adopted. */
  topologyChanged(change: TopologyEvent): void
  trace?: Trace | undefined
  /** Gives statements of the store their spans. */
  traced?: Traced | undefined
}

/** Opens the migrations of the console that the environment describes. */
export function openConsoleMigration(
  env: Env,
  { store, vault, clock, log, publish, database, adopt, takeFolder, others, ...deps }: Deps,
): Migration {
  return openMigration(
    {
      ...{ store, vault, clock, log, publish, database, adopt, others, trace: deps.trace },
      openPostgres(target) {
        const made = openPostgresDatabase(
          {
            ...{ log, traced: deps.traced },
            topologyChanged: (change) => made === database() && deps.topologyChanged(change),
          },
          { ...target, ...poolConfig(env, target) },
        )
        return made
      },
      openSqlite(file) {
        takeFolder()
        return openSqliteDatabase({ log, traced: deps.traced }, { file })
      },
    },
    {
      dataDir: env.HOLDFAST_DATA_DIR,
      sourceDirs: env.MIGRATION_SOURCE_DIRS,
      uploadMax: env.MIGRATION_UPLOAD_MAX,
      workerFile: join(process.cwd(), 'dist', 'migration-worker.mjs'),
      migrationsFolder,
      storeFile: storeFile(env),
      switchBackMs: env.MIGRATION_SWITCH_BACK_HOURS * 3_600_000,
      envTarget: envTarget(env),
      authority: trusted(env),
    },
  )
}
