import { accessSync, constants, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { isMigrated, migratePostgres, migrateSqlite } from '@/db/migrate'
import { migrateAsOwner } from '@/db/owner'
import { retiredPostgresReason, retiredReason } from '@/db/retired'
import { Store } from '@/db/store'
import { readAuthority } from './authority'
import {
  type Database,
  openPostgresDatabase,
  openSqliteDatabase,
  type PoolConfig,
  type PostgresConfig,
  type PostgresDatabase,
  type RoutingConfig,
  type RoutingDeps,
} from './database'
import { ConfigurationError, type Env } from './env'
import { type InstanceLock, lockDataDir } from './instance-lock'
import type { Log } from './log'
import { isPgCapturing } from './migration/store/pg-capture'
import { readStoreChoice } from './migration/store/store-choice'
import type { Target } from './migration/types'
import { loadMasterKey, openVault, type Vault } from './vault'

export interface OpenedStore {
  store: Store
  database: Database
  vault: Vault
  /** Held while this process serves a SQLite store. */
  lock: InstanceLock | null
}

/** Where the migrations of both dialects stand: beside the server's entry. */
export const migrationsFolder = join(process.cwd(), 'db', 'migrations')

export const storeFile = (env: Env) => join(env.HOLDFAST_DATA_DIR, 'holdfast.db')

/**
 * Opens the store that the configuration or an earlier switchover asks for, at this release's schema. Throws
 * an error whose message can be shown when that is not possible; nothing is damaged then.
 * @param options.serving false for a command line that works beside a running console: no lock is taken.
 * @param options.traced gives units and statements their spans.
 * @param options.topologyChanged told when the primary changes, and when replicas come and go.
 */
export async function openStore(
  env: Env,
  log: Log,
  {
    serving,
    topologyChanged,
    traced,
  }: { serving: boolean } & Pick<RoutingDeps, 'topologyChanged' | 'traced'>,
): Promise<OpenedStore> {
  makeDataDir(env.HOLDFAST_DATA_DIR)
  const previous = env.HOLDFAST_MASTER_KEYS_PREVIOUS.map((key) => Buffer.from(key, 'base64'))
  const vault = openVault(loadMasterKey(env.HOLDFAST_DATA_DIR, env.HOLDFAST_MASTER_KEY), previous)
  const target = storeTarget(env, vault)
  if (target) {
    const database = openPostgresDatabase(
      { log, topologyChanged, traced },
      { ...target, ...poolConfig(env, target) },
    )
    try {
      await bringUp(database, { log, env, target })
      return {
        store: new Store(database.handle, { id: vault.keyId, key: vault.key('audit') }, traced),
        database,
        vault,
        lock: null,
      }
    } catch (error) {
      await database.close()
      throw error
    }
  }
  const lock = serving ? lockDataDir(env.HOLDFAST_DATA_DIR) : null
  try {
    const retired = retiredReason(storeFile(env))
    if (retired) throw new ConfigurationError(retired)
    const database = openSqliteDatabase({ log, traced }, { file: storeFile(env) })
    migrateSqlite(database.client, migrationsFolder)
    return {
      store: new Store(database.handle, { id: vault.keyId, key: vault.key('audit') }, traced),
      database,
      vault,
      lock,
    }
  } catch (error) {
    lock?.release()
    throw error
  }
}

/** Where an earlier switchover moved the store to, as host:port/database, and when; null where it never did. */
export function storeMove(env: Env): { place: string; since: number } | null {
  const choice = readStoreChoice(env.HOLDFAST_DATA_DIR, {
    // Who only asks for the place needs no key.
    open: () => '',
  })
  if (!choice) return null
  const { host, port, database } = choice.target
  return { place: `${host}:${port}/${database}`, since: choice.since }
}

/** Brings the store to this release's schema. Where nobody takes writes, one that is there already is opened to be read. */
async function bringUp(
  database: PostgresDatabase,
  { log, env, target }: { log: Log; env: Env; target: Target },
): Promise<void> {
  const { writable } = await database.client.ready()
  await refuseRetired(database)
  const answers = database.topology().nodes.some(({ takesReads }) => takesReads)
  if (!writable && answers && (await isMigrated(database.client, migrationsFolder))) {
    log.warn({}, 'no PostgreSQL server takes writes: the console starts read-only')
    return
  }
  // Its first statement waits for a primary, and says why there is none.
  if (!writable && answers) (await database.client.connect()).release()
  if (env.DB_OWNER_USER) await upgradeAsOwner(database, { log, env, target })
  else await migratePostgres(database.client, migrationsFolder)
}

/** Upgrades the store as the role that owns it. While a way back to SQLite is kept, the console's own role is that. */
async function upgradeAsOwner(
  { client }: PostgresDatabase,
  { log, env, target }: { log: Log; env: Env; target: Target },
): Promise<void> {
  const { DB_OWNER_USER: owner = '', DB_OWNER_PASSWORD: password = '' } = env
  if (owner === target.user) {
    throw new ConfigurationError(
      `DB_OWNER_USER and the console’s own role are both ${owner}: name another role as the owner, or remove DB_OWNER_USER.`,
    )
  }
  if (await isPgCapturing(client.query.bind(client) as unknown as Parameters<typeof isPgCapturing>[0])) {
    log.warn(
      { owner },
      'the store keeps a way back to SQLite: its owner takes the audit log over at the first start after that is closed',
    )
    if (await isMigrated(client, migrationsFolder)) return
    return migratePostgres(client, migrationsFolder)
  }
  const { fenceFile: _, ...pool } = poolConfig(env, target)
  const place = { ...target, user: owner, password, ...pool, min: 0, max: 2 }
  const asOwner = openPostgresDatabase({ log }, place)
  try {
    await migrateAsOwner(asOwner.client, migrationsFolder, { owner, user: target.user })
  } finally {
    await asOwner.close()
  }
}

async function refuseRetired({ client }: PostgresDatabase): Promise<void> {
  const { host, port, database } = client.config
  const ask = client.query.bind(client) as unknown as Parameters<typeof retiredPostgresReason>[0]
  const retired = await retiredPostgresReason(ask, `${host}:${port}/${database}`)
  if (retired) throw new ConfigurationError(retired)
}

/** The PostgreSQL server that the environment names, whether as the store or as a migration's target. */
export function envTarget(env: Env): Target | null {
  if (!env.DB_HOST) return null
  return {
    host: env.DB_HOST,
    port: env.DB_PORT,
    database: env.DB_NAME,
    user: env.DB_USER,
    password: env.DB_PASSWORD ?? '',
    schema: 'public',
    ssl: env.DB_SSL,
  }
}

/**
 * How the pools to a server and its replicas behave; replicas and the direct address belong to the server of DB_HOST
 * alone. Throws when the file of DB_SSL_CA can't be read.
 */
export function poolConfig(
  env: Env,
  { host, port }: Pick<PostgresConfig, 'host' | 'port'>,
): PoolConfig & RoutingConfig & Pick<PostgresConfig, 'ca'> {
  const own = host === env.DB_HOST && port === env.DB_PORT
  return {
    min: env.DB_POOL_MIN,
    max: env.DB_POOL_MAX,
    acquireTimeout: env.DB_ACQUIRE_TIMEOUT,
    idleTimeout: env.DB_IDLE_TIMEOUT,
    connectTimeout: env.DB_CONNECT_TIMEOUT,
    queryTimeout: env.DB_QUERY_TIMEOUT,
    leakTimeout: env.DB_LEAK_TIMEOUT,
    prepared: env.DB_PREPARED,
    replicas: own ? replicasOf(env) : [],
    failoverWait: env.DB_FAILOVER_WAIT,
    maxLag: env.DB_MAX_LAG,
    fenceFile: join(env.HOLDFAST_DATA_DIR, 'topology.json'),
    ...(env.DB_DIRECT_HOST && own
      ? { direct: { host: env.DB_DIRECT_HOST, port: env.DB_DIRECT_PORT ?? env.DB_PORT } }
      : {}),
    ...trusted(env),
  }
}

function replicasOf(env: Env): { host: string; port: number }[] {
  return env.DB_READ_HOST.map((host, at) => ({
    host,
    port: Number(env.DB_READ_PORT[at] ?? env.DB_READ_PORT[0] ?? env.DB_PORT),
  }))
}

/** Whose certificates are trusted with PostgreSQL's: those of DB_SSL_CA, or the system's. Throws when they can't be read. */
export function trusted(env: Env): Pick<PostgresConfig, 'ca'> {
  return env.DB_SSL_CA ? { ca: readAuthority(env.DB_SSL_CA, 'DB_SSL_CA') } : {}
}

/** PostgreSQL if the environment or an earlier switchover says so; null for SQLite. Throws where the two differ. */
export function storeTarget(env: Env, vault: Pick<Vault, 'open'>): Target | null {
  const choice = readStoreChoice(env.HOLDFAST_DATA_DIR, vault)
  if (!choice) return env.DB_TYPE === 'postgresql' ? envTarget(env) : null
  const { host, port, database } = choice.target
  const chosen = `${host}:${port}/${database}`
  if (env.DB_TYPE === 'sqlite') {
    throw new ConfigurationError(
      `DB_TYPE is sqlite, but the store was moved to PostgreSQL at ${chosen} on ${new Date(choice.since).toISOString()}. Remove DB_TYPE, or set it to postgresql.`,
    )
  }
  const named = env.DB_TYPE === 'postgresql' ? envTarget(env) : null
  if (named && `${named.host}:${named.port}/${named.database}` !== chosen) {
    throw new ConfigurationError(
      `The environment names PostgreSQL at ${named.host}:${named.port}/${named.database}, but the store was moved to ${chosen}. Remove DB_TYPE, or name the same server.`,
    )
  }
  return named ?? choice.target
}

export function makeDataDir(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    const code = (error as { code?: string }).code
    const why = existsSync(folder)
      ? 'it is not a folder that this user may write to'
      : `it cannot be made (${code})`
    throw new ConfigurationError(
      `The data folder ${folder} cannot be used: ${why}. Change its owner, or set HOLDFAST_DATA_DIR.`,
    )
  }
}
