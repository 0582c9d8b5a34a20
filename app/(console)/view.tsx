'use client'

import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { stateWord } from '@/components/cache/words'
import { useLiveEvent, useSamples } from '@/components/live/live'
import { LiveStat } from '@/components/live/live-stat'
import type { Sample } from '@/components/live/types'
import { useHealth } from '@/components/live/use-health'
import { useSteady } from '@/components/live/use-steady'
import { Verdict } from '@/components/live/verdict'
import { type EventCounts, lastDay } from '@/components/security/counts'
import { useTRPC } from '@/components/trpc/trpc'
import { TileBoundary } from '@/components/ui/error-tile'
import { formatBytes, formatCount, formatNumber } from '@/components/ui/format'
import { Link } from '@/components/ui/link'
import { Stat, StatRow } from '@/components/ui/stat'
import type { StatusKind } from '@/components/ui/status'
import { RelativeTime } from '@/components/ui/time'

/** @param hardening what is still to be done, for who can do it */
export function Overview({ hardening }: { hardening: ReactNode }) {
  const trpc = useTRPC()
  const health = useHealth()
  const history = useQuery(trpc.system.history.queryOptions({ samples: 60 }))
  const samples = useSamples(history.data)
  return (
    <>
      <Verdict health={health.data} error={health.error} />
      {hardening}
      <div className="flex flex-col gap-6">
        <Area href="/database" title="Database">
          <DatabaseRow samples={samples} />
        </Area>
        <Area href="/cache" title="Cache">
          <CacheRow samples={samples} />
        </Area>
        <Area href="/security" title="Security">
          <SecurityRow samples={samples} />
        </Area>
        <Area href="/migration" title="Migration">
          <MigrationRow samples={samples} />
        </Area>
        <Area href="/system" title="Host">
          <HostRow samples={samples} />
        </Area>
      </div>
    </>
  )
}

/** One ruled row under the name of the page that shows more. One that fails takes nothing else with it. */
function Area({ href, title, children }: { href: string; title: string; children: ReactNode }) {
  return (
    <section aria-labelledby={`area-${title}`}>
      <h2 id={`area-${title}`} className="mb-2 text-lead font-medium">
        <Link href={href} className="underline decoration-border underline-offset-4 hover:decoration-current">
          {title}
        </Link>
      </h2>
      <TileBoundary what={title}>{children}</TileBoundary>
    </section>
  )
}

interface RowProps {
  samples: readonly Sample[]
}

function DatabaseRow({ samples }: RowProps) {
  return (
    <StatRow label="Database" columns={5}>
      <LiveStat samples={samples} label="Queries" metric="holdfast_database_queries_per_second" unit="/s" />
      <LiveStat samples={samples} label="Query time, p99" metric="holdfast_database_query_p99_seconds" />
      <LiveStat samples={samples} label="Errors" metric="holdfast_database_errors_per_second" unit="/s" />
      <LiveStat
        samples={samples}
        label="Connections in use"
        metric="holdfast_database_pool_in_use_connections"
        note={poolNote(samples.at(-1))}
      />
      <LiveStat samples={samples} label="Callers waiting" metric="holdfast_database_pool_waiting_callers" />
    </StatRow>
  )
}

function poolNote(last: Sample | undefined): string {
  const idle = last?.values.holdfast_database_pool_idle_connections
  return idle == null ? 'SQLite has one handle and no pool' : `${idle} idle`
}

function CacheRow({ samples }: RowProps) {
  const trpc = useTRPC()
  const { data, refetch } = useQuery(trpc.cache.stats.queryOptions())
  useLiveEvent('health', () => void refetch())
  return (
    <StatRow label="Cache" columns={5}>
      <Stat
        label="State"
        value={data && stateWord(data).word}
        tone={data && toneOf(stateWord(data).kind)}
        note={data?.reason ?? data?.place ?? 'no Redis is configured'}
        metric="holdfast_cache_state"
      />
      <LiveStat samples={samples} label="Hit ratio, 1 min" metric="holdfast_cache_hit_ratio" max={1} />
      <LiveStat samples={samples} label="Reads" metric="holdfast_cache_reads_per_second" unit="/s" />
      <LiveStat samples={samples} label="Memory level" metric="holdfast_cache_memory_bytes" />
      <LiveStat samples={samples} label="Errors" metric="holdfast_cache_errors_per_second" unit="/s" />
    </StatRow>
  )
}

const toneOf = (kind: StatusKind) => (kind === 'ok' ? undefined : kind === 'bad' ? 'bad' : 'warn')

function SecurityRow({ samples }: RowProps) {
  const trpc = useTRPC()
  const now = samples.at(-1)?.at ?? 0
  const { data: counts, refetch } = useQuery(
    trpc.security.events.histogram.queryOptions(lastDay(now), { enabled: now > 0 }),
  )
  const again = useSteady(() => refetch({ cancelRefetch: false }), 10_000, { fresh: true })
  useLiveEvent('audit', again)
  const grave = counts && sumOf(counts, 'high', 'critical')
  return (
    <StatRow label="Security" columns={4}>
      <Stat
        label="High or critical events, 24 h"
        value={grave}
        tone={grave ? 'bad' : undefined}
        note={
          counts && `${formatNumber(sumOf(counts, 'medium'))} medium of ${formatCount(counts.total, 'event')}`
        }
        href="/security?severities=high,critical"
      />
      <LiveStat samples={samples} label="Sessions" metric="holdfast_security_sessions" note="signed in" />
      <LiveStat samples={samples} label="Audit events" metric="holdfast_audit_events" note="in the chain" />
      <LiveStat samples={samples} label="Event streams" metric="holdfast_live_streams" note="open" />
    </StatRow>
  )
}

function sumOf({ series, buckets }: EventCounts, ...severities: string[]): number {
  const places = series.flatMap((name, at) => (severities.includes(name) ? [at] : []))
  return buckets.reduce((sum, { counts }) => places.reduce((all, at) => all + (counts[at] ?? 0), sum), 0)
}

function MigrationRow({ samples }: RowProps) {
  const trpc = useTRPC()
  const { data: runs } = useQuery(trpc.migration.runs.queryOptions())
  const last = runs?.[0]
  return (
    <StatRow label="Migration" columns={3}>
      <LiveStat samples={samples} label="Runs at work" metric="holdfast_migration_runs_active" />
      <Stat label="Runs kept" value={runs?.length} metric="holdfast_migration_runs" />
      <Stat
        label="Last run"
        value={runs && (last ? last.state.replaceAll('_', ' ') : 'none yet')}
        note={last ? <RelativeTime at={last.createdAt} /> : 'Bring a SQLite file to PostgreSQL'}
        href={last ? `/migration/${last.id}` : '/migration'}
      />
    </StatRow>
  )
}

function HostRow({ samples }: RowProps) {
  const limit = samples.at(-1)?.values.holdfast_process_heap_limit_bytes
  return (
    <StatRow label="Host" columns={6}>
      <LiveStat
        samples={samples}
        label="Event loop delay, p99"
        metric="holdfast_event_loop_delay_p99_seconds"
      />
      <LiveStat samples={samples} label="CPU, of one core" metric="holdfast_process_cpu_ratio" />
      <LiveStat samples={samples} label="Resident memory" metric="holdfast_process_resident_bytes" />
      <LiveStat
        samples={samples}
        label="Heap"
        metric="holdfast_process_heap_used_bytes"
        note={limit ? `of ${formatBytes(limit)}` : undefined}
      />
      <LiveStat
        samples={samples}
        label="Host memory in use"
        metric="holdfast_host_memory_used_ratio"
        max={1}
      />
      <LiveStat samples={samples} label="Load, 1 min" metric="holdfast_host_load1" />
    </StatRow>
  )
}
