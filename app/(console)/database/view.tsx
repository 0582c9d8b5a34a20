'use client'

import { useQuery } from '@tanstack/react-query'
import { CrosshairProvider } from '@/components/charts/crosshair'
import { LiveChart } from '@/components/live/live-chart'
import { LiveStat } from '@/components/live/live-stat'
import { useKeptSamples } from '@/components/live/use-kept-samples'
import { useTRPC } from '@/components/trpc/trpc'
import { Empty } from '@/components/ui/empty'
import { ErrorTile, TileBoundary } from '@/components/ui/error-tile'
import { formatBytes, formatDuration, formatNumber, formatShare } from '@/components/ui/format'
import { Skeleton } from '@/components/ui/skeleton'
import { StatRow } from '@/components/ui/stat'
import { Status } from '@/components/ui/status'
import { Table } from '@/components/ui/table'
import { KeyValue, type KeyValueItem, Mono, PageHeader, Section } from '@/components/ui/text'
import { RelativeTime, Time } from '@/components/ui/time'
import type { RouterOutputs } from '@/server/routers/_app'
import { ConnectionTest } from './connection-test'

type Stats = RouterOutputs['database']['stats']

export function DatabaseView() {
  const trpc = useTRPC()
  const stats = useQuery(trpc.database.stats.queryOptions(undefined, { refetchInterval: 5_000 }))
  const samples = useKeptSamples()
  const { data } = stats
  return (
    <>
      <PageHeader title="Database" lead={data ? <Lead stats={data} /> : undefined} />
      <StatRow label="Now" columns={5}>
        <LiveStat samples={samples} label="Queries" metric="holdfast_database_queries_per_second" unit="/s" />
        <LiveStat samples={samples} label="Query time, p50" metric="holdfast_database_query_p50_seconds" />
        <LiveStat samples={samples} label="Query time, p99" metric="holdfast_database_query_p99_seconds" />
        <LiveStat
          samples={samples}
          label="Connections in use"
          metric="holdfast_database_pool_in_use_connections"
          note={data?.pool ? `${data.pool.idle} idle, ${data.pool.max} at most` : 'one handle, no pool'}
        />
        <LiveStat samples={samples} label="Callers waiting" metric="holdfast_database_pool_waiting_callers" />
      </StatRow>

      <CrosshairProvider>
        <div className="mt-8 grid gap-x-8 gap-y-6 lg:grid-cols-2">
          <TileBoundary what="Queries">
            <LiveChart
              title="Queries per second"
              samples={samples}
              series={[
                { metric: 'holdfast_database_queries_per_second', label: 'Queries' },
                { metric: 'holdfast_database_errors_per_second', label: 'Errors' },
              ]}
              unit="/s"
            />
          </TileBoundary>
          <TileBoundary what="Query time">
            <LiveChart
              title="Query time"
              samples={samples}
              series={[
                { metric: 'holdfast_database_query_p99_seconds', label: 'p99' },
                { metric: 'holdfast_database_query_p50_seconds', label: 'p50' },
              ]}
            />
          </TileBoundary>
        </div>
      </CrosshairProvider>

      {data ? (
        <Facts stats={data} />
      ) : stats.error ? (
        <ErrorTile error={stats.error} what="The database" onRetry={() => void stats.refetch()} />
      ) : (
        <Skeleton className="mt-8 h-64 w-full" label="Reading the database" />
      )}

      <TileBoundary what="Connection test">
        <ConnectionTest />
      </TileBoundary>
    </>
  )
}

function Lead({ stats }: { stats: Stats }) {
  return (
    <span className="flex flex-wrap items-baseline gap-x-3">
      <Status kind={stats.reachable ? 'ok' : 'bad'}>{stats.reachable ? 'Reachable' : 'Not reachable'}</Status>
      <span>
        {stats.dialect === 'sqlite' ? 'SQLite' : 'PostgreSQL'}{' '}
        {stats.sqlite?.version ?? stats.postgres?.version}
      </span>
      <Mono>{stats.place}</Mono>
    </span>
  )
}

function Facts({ stats }: { stats: Stats }) {
  return (
    <div className="grid gap-x-8 lg:grid-cols-2">
      <Section title="Since it was opened" note={<RelativeTime at={stats.openedAt} />}>
        <KeyValue items={counters(stats)} />
      </Section>
      <Section title={stats.dialect === 'sqlite' ? 'File' : 'Server'} note={<RelativeTime at={stats.at} />}>
        {stats.sqlite ? <KeyValue items={fileFacts(stats.sqlite)} /> : null}
        {stats.postgres ? <KeyValue items={serverFacts(stats.postgres)} /> : null}
        {stats.reachable ? null : (
          <Empty kind="no-data" title="The database did not answer">
            What Holdfast counts itself is shown all the same.
          </Empty>
        )}
      </Section>
      <Section title="Errors by code" className="lg:col-span-2">
        <Table
          caption="Errors by SQLSTATE or SQLite code"
          columns={[
            { key: 'code', header: 'Code', rowHeader: true, cell: ([code]) => <Mono>{code}</Mono> },
            { key: 'count', header: 'Errors', numeric: true, cell: ([, count]) => formatNumber(count) },
          ]}
          rows={Object.entries(stats.errors).sort(([, a], [, b]) => b - a)}
          rowKey={([code]) => code}
          empty={<Empty kind="no-data" title="No statement has failed" />}
        />
      </Section>
    </div>
  )
}

function counters(stats: Stats): KeyValueItem[] {
  const { queryTime, waitTime } = stats
  const spread = (time: Stats['queryTime']) =>
    `${formatDuration(time.p50)} · ${formatDuration(time.p95)} · ${formatDuration(time.p99)}`
  const common = [
    { label: 'Statements', value: formatNumber(stats.queries) },
    { label: 'Query time, p50 · p95 · p99', value: spread(queryTime) },
  ]
  if (!stats.pool) return common
  return [
    ...common,
    { label: 'Wait for a connection, p50 · p95 · p99', value: spread(waitTime) },
    {
      label: 'Connections opened · closed',
      value: `${formatNumber(stats.connectionsOpened)} · ${formatNumber(stats.connectionsClosed)}`,
    },
    { label: 'Connections that failed', value: formatNumber(stats.connectionFailures) },
    { label: 'Callers that gave up waiting', value: formatNumber(stats.acquireTimeouts) },
    { label: 'Callers refused, queue full', value: formatNumber(stats.queueRefusals) },
  ]
}

const SYNCHRONOUS = ['OFF', 'NORMAL', 'FULL', 'EXTRA']

function fileFacts(sqlite: NonNullable<Stats['sqlite']>): KeyValueItem[] {
  return [
    { label: 'File', value: formatBytes(sqlite.fileBytes) },
    { label: 'Write-ahead log', value: formatBytes(sqlite.walBytes) },
    {
      label: 'Pages',
      value: `${formatNumber(sqlite.pages)} of ${formatBytes(sqlite.pageSize)}, ${formatNumber(sqlite.freePages)} free`,
    },
    { label: 'Journal · synchronous', value: `${sqlite.journalMode} · ${SYNCHRONOUS[sqlite.synchronous]}` },
    { label: 'Foreign keys', value: sqlite.foreignKeys ? 'checked' : 'not checked' },
  ]
}

function serverFacts(postgres: NonNullable<Stats['postgres']>): KeyValueItem[] {
  return [
    { label: 'Role', value: postgres.inRecovery ? 'replica' : 'primary' },
    { label: 'Running since', value: <Time at={postgres.startedAt} /> },
    { label: 'Database', value: formatBytes(postgres.sizeBytes) },
    {
      label: 'Connections of all clients',
      value: `${formatNumber(postgres.connections)} of ${formatNumber(postgres.maxConnections)}`,
    },
    { label: 'Cache hit ratio', value: formatShare(postgres.cacheHitRatio) },
    {
      label: 'Commits · rollbacks',
      value: `${formatNumber(postgres.commits)} · ${formatNumber(postgres.rollbacks)}`,
    },
    { label: 'Deadlocks', value: formatNumber(postgres.deadlocks) },
  ]
}
