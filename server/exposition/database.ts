import type { Registry } from 'prom-client'
import type { Database } from '@/server/database'
import { counter, gauge, histogram } from './family'

/** Counters of the database under the store, since it was opened. */
export function registerDatabase(registry: Registry, database: () => Database): void {
  const counts = () => database().figures().counts
  const count = (name: `holdfast_database_${string}_total`, help: string, of: () => number) =>
    counter(registry, { name, help, read: () => [{ value: of() }] })

  count('holdfast_database_queries_total', 'Statements run', () => counts().queries)
  counter(registry, {
    name: 'holdfast_database_errors_total',
    help: 'Statements that failed, by the kind of the error',
    labels: ['kind'],
    read: () => Object.entries(counts().errors).map(([kind, value]) => ({ labels: { kind }, value })),
  })
  count('holdfast_database_connections_opened_total', 'Connections opened', () => counts().connectionsOpened)
  count('holdfast_database_connections_closed_total', 'Connections closed', () => counts().connectionsClosed)
  count(
    'holdfast_database_connection_failures_total',
    'Connections that could not be opened',
    () => counts().connectionFailures,
  )
  count(
    'holdfast_database_acquire_timeouts_total',
    'Callers that waited too long for a connection',
    () => counts().acquireTimeouts,
  )
  count(
    'holdfast_database_queue_refusals_total',
    'Callers that found the queue full',
    () => counts().queueRefusals,
  )
  count(
    'holdfast_database_statement_timeouts_total',
    'Statements cancelled for taking too long',
    () => counts().statementTimeouts,
  )
  count('holdfast_database_leaks_total', 'Connections that were lent for too long', () => counts().leaks)
  histogram(registry, {
    name: 'holdfast_database_query_seconds',
    help: 'Time of statements',
    read: () => [{ counts: counts().queryTime }],
  })
  histogram(registry, {
    name: 'holdfast_database_wait_seconds',
    help: 'Time that callers waited for a connection',
    read: () => [{ counts: counts().waitTime }],
  })

  const nodes = () => database().topology().nodes
  const labels = ['node', 'role'] as const
  const nodeLabels = ({ host, port, role }: { host: string; port: number; role: string }) => ({
    node: `${host}:${port}`,
    role,
  })
  gauge(registry, {
    name: 'holdfast_database_node_takes_reads',
    help: '1 where reads are sent to this PostgreSQL server',
    labels,
    read: () => nodes().map((node) => ({ labels: nodeLabels(node), value: Number(node.takesReads) })),
  })
  gauge(registry, {
    name: 'holdfast_database_node_takes_writes',
    help: '1 where writes are sent to this PostgreSQL server',
    labels,
    read: () => nodes().map((node) => ({ labels: nodeLabels(node), value: Number(node.takesWrites) })),
  })
  gauge(registry, {
    name: 'holdfast_database_node_lag_bytes',
    help: 'WAL that a replica is behind the primary',
    labels,
    read: () => nodes().map((node) => ({ labels: nodeLabels(node), value: node.lagBytes })),
  })
}
