import { randomUUID } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import type { Store } from '@/db/store'
import { system as itself, recordAudit } from './audit'
import {
  type Cache,
  type CacheInspector,
  type CacheOperations,
  type CacheStateChange,
  openCache,
  openCacheInspector,
  openCacheOperations,
} from './cache'
import { type Clock, systemClock } from './clock'
import {
  type Database,
  type IndexChanges,
  type Operations,
  openIndexChanges,
  openOperations,
  openStatementHistory,
  type StatementHistory,
  type TopologyEvent,
} from './database'
import type { Env } from './env'
import { lockDataDir } from './instance-lock'
import { type Log, openLog } from './log'
import type { Migration } from './migration'
import { cacheConfig } from './open-cache'
import { openConsoleMigration } from './open-migration'
import { openStore } from './open-store'
import { type Outbound, openOutbound } from './outbound'
import { openSecurity, type Security } from './security'
import { openStatistics, type Statistics } from './statistics'
import { openSystem, type System } from './system'
import { version } from './system/about'
import { type Instances, openInstances } from './system/instances'
import type { Vault } from './vault'

/** Everything that lives in this process. */
export interface Runtime {
  env: Env
  clock: Clock
  log: Log
  vault: Vault
  store: Store
  /** The database under the store; another one after a switchover. */
  readonly database: Database
  /** What an operator does to that database. */
  operations: Operations
  /** Index advice, and what was made of it. */
  indexes: IndexChanges
  /** Calls and time of single statements over days. */
  statements: StatementHistory
  cache: Cache
  /** What Redis under the cache holds and tells. */
  cacheInspector: CacheInspector
  /** What an operator does to the cache. */
  cacheOperations: CacheOperations
  /** Calls to other servers over HTTP. */
  outbound: Outbound
  statistics: Statistics
  security: Security
  system: System
  /** The consoles that serve this store. */
  instances: Instances
  migration: Migration
  /** Aborted when the server begins to stop: event streams end then. */
  shutdown: AbortSignal
  /** The one-time link that makes the first admin; null once there is one. */
  setUpLink(): Promise<string | null>
  /** Begins to stop: readiness fails and event streams end. */
  drain(): void
  /** Stops everything that lives, in the order in which it depends on each other. */
  close(): Promise<void>
}

/** Opens everything that lives. Throws an error whose message can be shown when the store cannot be used. */
export async function openRuntime(env: Env): Promise<Runtime> {
  const clock = systemClock
  const log = openLog(env.LOG_LEVEL)
  // What changes before there is an audit log to note it in stands in the log alone.
  let noteTopology = (_change: TopologyEvent) => {}
  const topologyChanged = (change: TopologyEvent) => noteTopology(change)
  const opened = await openStore(env, log, { serving: true, topologyChanged })
  const { store, vault } = opened
  let { database, lock } = opened
  const stopping = new AbortController()
  // Every open event stream listens to it.
  setMaxListeners(0, stopping.signal)

  // As with the topology: what changes before the audit log is open stands in the log alone.
  let noteCache = (_change: CacheStateChange) => {}
  const cache = openCache({ log, clock, stateChanged: (change) => noteCache(change) }, cacheConfig(env))
  const cacheInspector = openCacheInspector({
    clock,
    control: () => cache.redis?.control() ?? null,
    prefix: env.CACHE_PREFIX,
    forget: (keys) => cache.forget(keys),
  })
  const cacheOperations = openCacheOperations({
    ...{ store, clock, log, inspect: cacheInspector, shared: cache.redis !== null },
    clearLocal: (namespace) => cache.clearLocal(namespace),
  })
  const outbound = openOutbound({ clock, log, cache: cache.space('http') }, [{ name: 'webhooks' }])
  const security = openSecurity(
    { store, vault, clock, log },
    {
      accessMs: env.JWT_ACCESS_EXPIRES_IN,
      refreshMs: env.JWT_REFRESH_EXPIRES_IN,
      jwtSecret: env.JWT_SECRET,
      url: env.HOLDFAST_URL,
      maxSessionsPerUser: env.MAX_SESSIONS_PER_USER,
      maxLoginAttempts: env.MAX_LOGIN_ATTEMPTS,
      loginWindowMs: env.LOGIN_WINDOW_MS,
      loginBlockMs: env.LOGIN_BLOCK_DURATION,
      totpIssuer: env.TWO_FA_ISSUER,
      totpWindow: env.TWO_FA_WINDOW,
    },
  )
  const statistics = openStatistics({ cache, clock, security, database: () => database })
  const operations = openOperations({ store, clock, log, inspect: () => database.inspect })
  // Random: a name that two processes could share would let one count what the other measured.
  const instance = randomUUID()
  const indexes = openIndexChanges({ store, clock, log, database: () => database, instance })
  const statements = openStatementHistory({ store, clock, log, database: () => database, instance })
  const system = openSystem({
    clock,
    log,
    store,
    cache,
    instance,
    database: () => database,
    url: env.HOLDFAST_URL,
  })
  const instances = openInstances({ store, clock, log, id: instance, version })
  const migration = openConsoleMigration(env, {
    ...{ store, vault, clock, log, topologyChanged },
    publish: (event) => system.publish(event),
    database: () => database,
    adopt(next) {
      database = next
    },
    takeFolder() {
      lock ??= lockDataDir(env.HOLDFAST_DATA_DIR)
    },
    others: () => instances.others(),
  })
  const note = (
    event: 'sys_startup' | 'sys_shutdown' | 'sys_topology_changed' | 'sys_cache_state_changed',
    target: string,
    reason?: string,
  ) =>
    store
      .run(recordAudit, {
        ...itself,
        time: clock.now(),
        event,
        outcome: 'success',
        target,
        reason: reason ?? null,
      })
      // A store that takes no writes must keep nothing else from going on.
      .catch((error: unknown) => log.warn({ error, event }, 'not noted in the audit log'))
  noteTopology = ({ node, message }) => void note('sys_topology_changed', `node:${node}`, message)
  noteCache = ({ from, to, reason }) =>
    void note('sys_cache_state_changed', `cache:${from}-${to}`, reason ?? undefined)
  await note('sys_startup', `pid:${process.pid}`)
  await instances.start()
  security.start()
  system.start()
  statements.start()
  indexes.start()
  await migration.start()

  return {
    env,
    clock,
    log,
    vault,
    store,
    get database() {
      return database
    },
    operations,
    indexes,
    statements,
    cache,
    cacheInspector,
    cacheOperations,
    outbound,
    statistics,
    security,
    system,
    instances,
    migration,
    shutdown: stopping.signal,
    setUpLink: () => security.createSetUpLink(),
    drain: () => stopping.abort(),
    async close() {
      stopping.abort()
      await migration.close()
      await note('sys_shutdown', `pid:${process.pid}`)
      await Promise.all([system.close(), indexes.close(), statements.close(), instances.close()])
      await security.close()
      await outbound.close()
      await cache.close()
      await database.close()
      lock?.release()
    },
  }
}
