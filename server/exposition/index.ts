import { Registry } from 'prom-client'
import type { Store } from '@/db/store'
import type { Cache } from '@/server/cache'
import type { Clock } from '@/server/clock'
import type { Database } from '@/server/database'
import type { Outbound } from '@/server/outbound'
import { metricNames, metrics, type System } from '@/server/system'
import { mayScrape } from './access'
import { registerCache, registerOutbound } from './cache'
import { registerDatabase } from './database'
import { gauge } from './family'
import { RequestCounts } from './http'
import { type BackupSource, registerStore } from './store'

export interface ExpositionDeps {
  store: Store
  clock: Clock
  cache: Cache
  outbound: Outbound
  system: System
  /** The database under the store, which a switchover replaces. */
  database: () => Database
  /** The last backup of the store. */
  backups: BackupSource
  version: string
  /** Without one only this machine may read them. */
  token: string | undefined
}

/** The metrics of this process, for Prometheus to scrape. */
export interface Exposition {
  /** Counts a request that was answered. */
  requests: RequestCounts
  /** Whether a request may read them. */
  admits(headers: Headers): boolean
  /** All metrics in Prometheus' text format, and its content type. */
  text(): Promise<{ body: string; contentType: string }>
}

/**
 * Makes the registry of everything that is measured: what the pages show, under the same names, and the counters
 * behind it. Labels are bounded by what the console itself knows; nothing a client chooses becomes one.
 */
export function openExposition(deps: ExpositionDeps): Exposition {
  const { system, database, version } = deps
  const registry = new Registry()
  const requests = new RequestCounts()
  gauge(registry, {
    name: 'holdfast_build_info',
    help: '1, with the release and what it runs on',
    labels: ['version', 'node', 'store'],
    read: () => [{ labels: { version, node: process.versions.node, store: database().dialect }, value: 1 }],
  })
  for (const name of metricNames) {
    gauge(registry, {
      name,
      help: metrics[name].help,
      read: () => [{ value: system.latest()?.values[name] }],
    })
  }
  gauge(registry, {
    name: 'holdfast_health_ok',
    help: '1 where a component is well, 0 where it warns or is bad',
    labels: ['component'],
    read: async () =>
      (await system.health()).components.map(({ id, state }) => ({
        labels: { component: id },
        value: Number(state === 'ok'),
      })),
  })
  registerDatabase(registry, database)
  registerCache(registry, deps.cache)
  registerOutbound(registry, deps.outbound)
  registerStore(registry, deps)
  requests.register(registry)
  return {
    requests,
    admits: (headers) => mayScrape(headers, deps.token),
    text: async () => ({ body: await registry.metrics(), contentType: registry.contentType }),
  }
}
