'use client'

import { useQuery } from '@tanstack/react-query'
import { CrosshairProvider } from '@/components/charts/crosshair'
import { LiveChart } from '@/components/live/live-chart'
import { LiveStat } from '@/components/live/live-stat'
import { useKeptSamples } from '@/components/live/use-kept-samples'
import { useTRPC } from '@/components/trpc/trpc'
import { Callout } from '@/components/ui/callout'
import { Empty } from '@/components/ui/empty'
import { ErrorTile, TileBoundary } from '@/components/ui/error-tile'
import {
  bytesParts,
  durationParts,
  formatBytes,
  formatDuration,
  formatNumber,
  formatShare,
} from '@/components/ui/format'
import { Skeleton } from '@/components/ui/skeleton'
import { Stat, StatRow } from '@/components/ui/stat'
import { Status, type StatusKind } from '@/components/ui/status'
import { Table } from '@/components/ui/table'
import { KeyValue, Mono, PageHeader, Section } from '@/components/ui/text'
import { RelativeTime } from '@/components/ui/time'
import type { RouterOutputs } from '@/server/routers/_app'

type Stats = RouterOutputs['cache']['stats']
type Node = Stats['nodes'][number]

const STATES: Record<Stats['state'], { kind: StatusKind; word: string }> = {
  redis: { kind: 'ok', word: 'Redis' },
  memory: { kind: 'ok', word: 'In memory' },
  degraded: { kind: 'warn', word: 'Degraded' },
}

export function CacheView() {
  const trpc = useTRPC()
  const stats = useQuery(trpc.cache.stats.queryOptions(undefined, { refetchInterval: 5_000 }))
  const samples = useKeptSamples()
  const { data } = stats
  return (
    <>
      <PageHeader
        title="Cache"
        lead={
          data ? (
            <span className="flex flex-wrap items-baseline gap-x-3">
              <Status kind={STATES[data.state].kind}>{STATES[data.state].word}</Status>
              <span>
                since <RelativeTime at={data.since} />
              </span>
              {data.place ? <Mono>{data.place}</Mono> : null}
            </span>
          ) : undefined
        }
      />
      {data?.state === 'degraded' ? (
        <div className="mb-6">
          <Callout tone="warn" title="Redis is away, memory answers">
            {data.reason} Holdfast goes back to Redis by itself, and deletes there what changed meanwhile.
          </Callout>
        </div>
      ) : null}
      <StatRow label="Now" columns={5}>
        <LiveStat samples={samples} label="Hit ratio, 1 min" metric="holdfast_cache_hit_ratio" max={1} />
        <LiveStat samples={samples} label="Reads" metric="holdfast_cache_reads_per_second" unit="/s" />
        <Stat
          label="Redis answers, p99"
          value={data && (data.mode === 'memory' ? null : data.latency.p99)}
          format={durationParts}
          metric="holdfast_cache_redis_seconds"
          note={
            data && data.mode !== 'memory'
              ? `p50 ${formatDuration(data.latency.p50)}`
              : 'no Redis is configured'
          }
        />
        <LiveStat
          samples={samples}
          label="Memory level"
          metric="holdfast_cache_memory_bytes"
          note={data ? `of ${formatBytes(data.memoryMaxBytes)}` : undefined}
        />
        <Stat label="Entries in memory" value={data?.memoryEntries} metric="holdfast_cache_memory_entries" />
      </StatRow>

      <CrosshairProvider>
        <div className="mt-8 grid gap-x-8 gap-y-6 lg:grid-cols-2">
          <TileBoundary what="Hit ratio">
            <LiveChart
              title="Hit ratio"
              samples={samples}
              series={[{ metric: 'holdfast_cache_hit_ratio', label: 'Hits, 1 min' }]}
              max={1}
            />
          </TileBoundary>
          <TileBoundary what="Reads">
            <LiveChart
              title="Reads per second"
              samples={samples}
              series={[{ metric: 'holdfast_cache_reads_per_second', label: 'Reads' }]}
              unit="/s"
            />
          </TileBoundary>
        </div>
      </CrosshairProvider>

      {data ? (
        <Facts stats={data} />
      ) : stats.error ? (
        <ErrorTile error={stats.error} what="The cache" onRetry={() => void stats.refetch()} />
      ) : (
        <Skeleton className="mt-8 h-64 w-full" label="Reading the cache" />
      )}
    </>
  )
}

function Facts({ stats }: { stats: Stats }) {
  const asked = stats.hits + stats.misses
  return (
    <>
      <Section title="Since the start">
        <KeyValue
          items={[
            {
              label: 'Hits · misses',
              value: `${formatNumber(stats.hits)} · ${formatNumber(stats.misses)} (${formatShare(asked === 0 ? null : stats.hits / asked)} hits)`,
            },
            {
              label: 'Values set · deleted',
              value: `${formatNumber(stats.sets)} · ${formatNumber(stats.deletes)}`,
            },
            { label: 'Pushed out of memory', value: formatNumber(stats.evictions) },
            { label: 'Calls that Redis failed', value: formatNumber(stats.errors) },
            { label: 'Reads that memory answered for Redis', value: formatNumber(stats.fallbacks) },
          ]}
        />
      </Section>
      <Section title="Nodes">
        <Table<Node>
          caption="Nodes of Redis"
          columns={[
            {
              key: 'address',
              header: 'Node',
              rowHeader: true,
              cell: ({ address }) => <Mono>{address}</Mono>,
            },
            { key: 'role', header: 'Role', cell: ({ role }) => role },
            { key: 'version', header: 'Version', cell: ({ version }) => version },
            { key: 'used', header: 'Memory', numeric: true, cell: memoryOf },
            {
              key: 'clients',
              header: 'Clients',
              numeric: true,
              cell: ({ clients }) => formatNumber(clients),
            },
            {
              key: 'operations',
              header: 'Operations/s',
              numeric: true,
              cell: ({ operationsPerSecond }) => formatNumber(operationsPerSecond),
            },
            {
              key: 'evicted',
              header: 'Evicted',
              numeric: true,
              cell: ({ evictedKeys }) => formatNumber(evictedKeys),
            },
            {
              key: 'uptime',
              header: 'Up for',
              numeric: true,
              cell: ({ uptimeSeconds }) => formatDuration(uptimeSeconds * 1000),
            },
          ]}
          rows={stats.nodes}
          rowKey={({ address }) => address}
          empty={
            stats.mode === 'memory' ? (
              <Empty kind="not-enabled" title="The cache lives in this process">
                Set REDIS_HOST, or REDIS_CLUSTER_ENABLED and REDIS_CLUSTER_NODES, and restart to share it.
              </Empty>
            ) : (
              <Empty kind="no-data" title="No node answers" />
            )
          }
        />
      </Section>
    </>
  )
}

function memoryOf({ usedBytes, maxBytes }: Node): string {
  const { figure, unit } = bytesParts(usedBytes)
  return maxBytes > 0 ? `${figure} ${unit} of ${formatBytes(maxBytes)}` : `${figure} ${unit}`
}
