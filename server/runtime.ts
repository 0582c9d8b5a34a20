import { randomUUID } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import type { Store } from '@/db/store'
import type { Traced } from '@/db/traced'
import {
  type Audit,
  auditKeys,
  type BoundedNotes,
  type Epochs,
  system as itself,
  lossSentence,
  openBoundedNotes,
  openEpochs,
  openRetention,
  type Retention,
  recordAudit,
} from './audit'
import { type BackupWatch, openBackupWatch } from './backup'
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
import { type Exposition, openExposition } from './exposition'
import { type Idempotency, openIdempotency } from './idempotency'
import { lockDataDir } from './instance-lock'
import { type Log, openLog } from './log'
import type { Migration } from './migration'
import { noteConfiguration } from './noted-configuration'
import { openConsoleAudit } from './open-audit'
import { cacheConfig } from './open-cache'
import { healthParts } from './open-health'
import { openConsoleMigration } from './open-migration'
import { openStore } from './open-store'
import { type Outbound, openGuard, openOutbound } from './outbound'
import { openSecurity, type Security } from './security'
import { type Alerts, openAlerts } from './security/alerts'
import { type Limits, openLimits } from './security/limits'
import { openThreats, type Threats } from './security/threats'
import { openStatistics, type Statistics } from './statistics'
import { openSystem, type System } from './system'
import { version } from './system/about'
import { type Instances, openInstances } from './system/instances'
import { type Trace, traced } from './trace'
import { openTracing } from './tracing'
import { tracingConfig } from './tracing/config'
import type { Vault } from './vault'

/** Everything that lives in this process. */
export interface Runtime {
  env: Env
  clock: Clock
  log: Log
  /** Undefined where nothing is traced. */
  trace: Trace | undefined
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
  /** Checkpoints and verification of the audit log. */
  audit: Audit
  /** How long its events are kept. */
  auditRetention: Retention
  /** Whether the log is behind its checkpoints, and who says why. */
  auditEpochs: Epochs
  /** Notes refusals that somebody may cause in a loop. */
  refusals: BoundedNotes
  security: Security
  /** What is told about findings, in the console and by webhook and mail. */
  alerts: Alerts
  /** Threat rules over the audit log, and what they found. */
  threats: Threats
  /** Limits, blocks and trusted sources. */
  limits: Limits
  /** The last backup of the store, and a word when it is too old. */
  backups: BackupWatch
  system: System
  /** The consoles that serve this store. */
  instances: Instances
  /** Does requests with an Idempotency-Key once. */
  idempotency: Idempotency
  migration: Migration
  /** What Prometheus scrapes. */
  exposition: Exposition
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
  // Random: a name that two processes could share would let one count what the other measured.
  const instance = randomUUID()
  const trace = await openTracing({ log, version, instance }, tracingConfig(env))
  const inSpan: Traced | undefined = trace && ((facts, work) => traced(trace, facts, work))
  // What changes before there is an audit log to note it in stands in the log alone.
  let noteTopology = (_change: TopologyEvent) => {}
  const topologyChanged = (change: TopologyEvent) => noteTopology(change)
  const opened = await openStore(env, log, { serving: true, topologyChanged, traced: inSpan })
  const { store, vault } = opened
  let { database, lock } = opened
  const stopping = new AbortController()
  // Every open event stream listens to it.
  setMaxListeners(0, stopping.signal)

  // As with the topology: what changes before the audit log is open stands in the log alone.
  let noteCache = (_change: CacheStateChange) => {}
  const cache = openCache(
    { log, clock, trace, stateChanged: (change) => noteCache(change) },
    cacheConfig(env),
  )
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
  const outbound = openOutbound(
    { clock, log, trace, cache: cache.space('http'), guard: openGuard(env.OUTBOUND_ALLOW) },
    // Alerts try again by themselves, later and for longer than a pool does.
    [{ name: 'webhooks', retries: 0, deadline: 15_000, maxResponseBytes: 256 * 1024, cache: false }],
  )
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
  const audit = openConsoleAudit(env, { store, vault, clock, log, database: () => database })
  const auditRetention = openRetention({ store, clock, log, checkpoint: () => audit.checkpoint() })
  const auditEpochs = openEpochs({
    ...{ store, clock, log, publicKeys: auditKeys(vault).publicKeys },
    checkpoints: () => audit.checkpoints(),
  })
  const refusals = openBoundedNotes({ store, clock, log })
  const limits = openLimits(
    { store, vault, clock, log, shared: cache.redis },
    {
      address: env.RATE_LIMIT_ADDRESS,
      user: env.RATE_LIMIT_USER,
      endpoints: env.RATE_LIMIT_ENDPOINTS,
      blockAfter: env.BLOCK_AFTER,
      blockDurationsMs: env.BLOCK_DURATIONS,
      // Not below the prefix of the cache: emptying that gives nobody a fresh start.
      prefix: env.CACHE_PREFIX.replace(/:$/, '-limits:'),
    },
    { most: env.MAX_LOGIN_ATTEMPTS, windowMs: env.LOGIN_WINDOW_MS, blockMs: env.LOGIN_BLOCK_DURATION },
  )
  const statistics = openStatistics({ cache, clock, security, database: () => database })
  const operations = openOperations({ store, clock, log, inspect: () => database.inspect })
  const webhooks = outbound.pool('webhooks')
  const alerts = openAlerts(
    {
      ...{ store, vault, clock, log, instance, connect: outbound.connect },
      request: (url, options) => webhooks.request(url, options),
    },
    { url: env.HOLDFAST_URL },
  )
  const indexes = openIndexChanges({ store, clock, log, database: () => database, instance })
  const statements = openStatementHistory({ store, clock, log, database: () => database, instance })
  const threats = openThreats(
    { store, clock, log, instance, ended: (ids) => security.ended(ids) },
    { mmdb: env.GEOIP_MMDB, blockDurationsMs: env.BLOCK_DURATIONS },
  )
  const backupMaxAge = env.BACKUP_MAX_AGE ?? null
  const backups = openBackupWatch({ store, clock, log }, backupMaxAge)
  const system = openSystem({
    clock,
    log,
    store,
    cache,
    instance,
    database: () => database,
    url: env.HOLDFAST_URL,
    auditTrouble: () => (auditEpochs.loss ? lossSentence(auditEpochs.loss) : null),
    findings: () => threats.findings.open(),
    backup: { last: backups.last, maxAgeMs: backupMaxAge },
    parts: () =>
      healthParts({
        ...{ database: () => database, audit, alerts, outbound, migration, instances },
        folder: env.HOLDFAST_DATA_DIR,
      }),
  })
  const instances = openInstances({ store, clock, log, id: instance, version })
  const idempotency = openIdempotency({
    ...{ store, vault, clock, log, instance },
    living: async () => (await instances.list()).map(({ id }) => id),
  })
  const migration = openConsoleMigration(env, {
    ...{ store, vault, clock, log, topologyChanged, trace, traced: inSpan },
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
  const exposition = openExposition({
    ...{ store, clock, cache, outbound, system, version, token: env.METRICS_TOKEN },
    database: () => database,
    backups: { last: backups.last, maxAgeMs: backupMaxAge },
  })
  const note = (
    event: 'sys_startup' | 'sys_shutdown' | 'sys_topology_changed' | 'sys_cache_state_changed',
    target: string,
    reason?: string,
    after: Record<string, unknown> | null = null,
  ) =>
    store
      .run(recordAudit, {
        ...itself,
        time: clock.now(),
        event,
        outcome: 'success',
        target,
        reason: reason ?? null,
        after,
      })
      // A store that takes no writes must keep nothing else from going on.
      .catch((error: unknown) => log.warn({ error, event }, 'not noted in the audit log'))
  noteTopology = ({ node, kind, message }) =>
    void note('sys_topology_changed', `node:${node}`, message, { kind })
  noteCache = ({ from, to, reason }) =>
    void note('sys_cache_state_changed', `cache:${from}-${to}`, reason ?? undefined)
  await note('sys_startup', `pid:${process.pid}`)
  await noteConfiguration({ store, clock, vault }, env).catch((error: unknown) =>
    log.warn({ error }, 'changes of the configuration are not in the audit log'),
  )
  audit.start()
  auditRetention.start()
  await auditEpochs.start()
  refusals.start()
  await instances.start()
  await limits.start()
  security.start()
  alerts.start()
  system.start()
  statements.start()
  indexes.start()
  backups.start()
  await threats.start()
  await migration.start()

  return {
    env,
    clock,
    log,
    trace,
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
    audit,
    auditRetention,
    auditEpochs,
    refusals,
    security,
    alerts,
    threats,
    limits,
    backups,
    system,
    instances,
    idempotency,
    migration,
    exposition,
    shutdown: stopping.signal,
    setUpLink: () => security.createSetUpLink(),
    drain: () => stopping.abort(),
    async close() {
      stopping.abort()
      await threats.close()
      await migration.close()
      await note('sys_shutdown', `pid:${process.pid}`)
      await Promise.all([
        ...[
          system.close(),
          indexes.close(),
          statements.close(),
          instances.close(),
          alerts.close(),
          backups.close(),
        ],
      ])
      await Promise.all([security.close(), limits.close()])
      await Promise.all([outbound.close(), auditRetention.close(), auditEpochs.close(), refusals.close()])
      await cache.close()
      await audit.close()
      await database.close()
      await trace?.close()
      lock?.release()
    },
  }
}
