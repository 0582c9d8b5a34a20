import { afterEach } from 'vitest'
import type { PostgresServer } from '@/db/testing/servers'
import { openLog } from '@/server/log'
import type { PoolConfig, PostgresConfig } from '../pool/pool'
import { PostgresCluster, type RoutingConfig } from './cluster'
import type { NodeRole, TopologyEvent } from './types'

export interface Rows<Row> {
  rows: Row[]
  rowCount: number
}

export type Ask = <Row = Record<string, unknown>>(text: string, values?: unknown[]) => Promise<Rows<Row>>

/** A cluster with what these tests look at. */
export interface Opened {
  cluster: PostgresCluster
  events: TopologyEvent[]
  lines: string[]
  query: Ask
  read: Ask
  roles(): NodeRole[]
}

export function placeOf({ host, port, user, password, database }: PostgresServer): PostgresConfig {
  return { host, port, user, password, database }
}

/** Opens clusters that are closed after each test. */
export function clustersForTests(): (
  servers: readonly PostgresServer[],
  config?: Partial<PostgresConfig & PoolConfig & RoutingConfig>,
) => Opened {
  const open: PostgresCluster[] = []
  afterEach(async () => {
    await Promise.all(open.splice(0).map((cluster) => cluster.close(200)))
  })
  return ([first, ...others], config = {}) => {
    const events: TopologyEvent[] = []
    const lines: string[] = []
    const cluster = new PostgresCluster(
      { log: openLog('info', (line) => lines.push(line)), topologyChanged: (event) => events.push(event) },
      {
        ...placeOf(first as PostgresServer),
        ...{ min: 1, max: 4, acquireTimeout: 10_000, idleTimeout: 30_000, failoverWait: 10_000 },
        replicas: others.map(({ host, port }) => ({ host, port })),
        ...config,
      },
    )
    open.push(cluster)
    return {
      ...{ cluster, events, lines },
      query: cluster.query as unknown as Ask,
      read: cluster.reads.query as unknown as Ask,
      roles: () => cluster.topology().nodes.map(({ role }) => role),
    }
  }
}

/** Waits for a condition, not for a time. */
export async function until(what: string, condition: () => unknown, limit = 10_000): Promise<void> {
  const end = Date.now() + limit
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`${what}: not within ${limit} ms`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

export const PORT = 'SELECT inet_server_port() AS port'
