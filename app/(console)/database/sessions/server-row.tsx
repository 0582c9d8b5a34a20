'use client'

import { useQuery } from '@tanstack/react-query'
import { MissingNote } from '@/components/database/missing-note'
import type { ServerFacts } from '@/components/database/types'
import { shareParts } from '@/components/live/live-stat'
import { useTRPC } from '@/components/trpc/trpc'
import { ErrorTile } from '@/components/ui/error-tile'
import { bytesParts, durationParts, formatBytes, formatCompact, formatCount } from '@/components/ui/format'
import { Skeleton } from '@/components/ui/skeleton'
import { Stat, StatRow } from '@/components/ui/stat'

/** Shares of the way to wraparound. From 2 million transactions before its end the server takes no more. */
const WRAPAROUND = { warn: 0.5, bad: 0.9 }
/** A transaction this old holds vacuum up. */
const LONG_MS = 5 * 60_000

/** What an operator looks at before an incident: long transactions, wraparound, WAL, who replays it. */
export function ServerRow() {
  const trpc = useTRPC()
  const server = useQuery(trpc.database.server.queryOptions(undefined, { refetchInterval: 10_000 }))
  const { data, error, dataUpdatedAt } = server
  if (error && !data)
    return <ErrorTile error={error} what="The server" onRetry={() => void server.refetch()} />
  if (!data) return <Skeleton className="h-24 w-full" label="Reading the server" />
  if (data.missing?.kind === 'not-here') return null
  return (
    <div className="mb-6">
      {data.missing ? <MissingNote missing={data.missing} title="Not all of the server is seen" /> : null}
      <StatRow label="The server" columns={5}>
        <LongestTransaction of={data.longTransactions} at={dataUpdatedAt} />
        <Wraparound of={data.wraparound} />
        <Stat label="WAL on disk" value={data.walBytes} format={bytesParts} />
        <Slots of={data.slots} />
        <Followers of={data.followers} />
      </StatRow>
    </div>
  )
}

function LongestTransaction({ of, at }: { of: ServerFacts['longTransactions']; at: number }) {
  const longest = [...of].sort((a, b) => a.startedAt - b.startedAt)[0]
  if (!longest) return <Stat label="Longest transaction" value="none" note="none is open for long" />
  const age = Math.max(0, at - longest.startedAt)
  return (
    <Stat
      label="Longest transaction"
      value={age}
      format={durationParts}
      tone={age >= LONG_MS ? 'warn' : undefined}
      note={`session ${longest.pid}${of.length > 1 ? `, ${of.length} in all` : ''}`}
    />
  )
}

function Wraparound({ of }: { of: ServerFacts['wraparound'] }) {
  const share = of?.share ?? 0
  return (
    <Stat
      label="Way to wraparound"
      value={of ? of.share : null}
      format={shareParts}
      tone={share >= WRAPAROUND.bad ? 'bad' : share >= WRAPAROUND.warn ? 'warn' : undefined}
      note={of ? `${formatCompact(of.age)} transactions, ${of.database}` : undefined}
    />
  )
}

function Slots({ of }: { of: ServerFacts['slots'] }) {
  const idle = of.filter(({ active }) => !active)
  const kept = Math.max(0, ...of.map(({ retainedBytes }) => retainedBytes ?? 0))
  return (
    <Stat
      label="Replication slots"
      value={of.length}
      tone={idle.length > 0 ? 'warn' : undefined}
      href="/database/replicas"
      note={
        idle.length > 0
          ? `${formatCount(idle.length, 'slot')} unused, ${formatBytes(kept)} of WAL kept`
          : of.length > 0
            ? `${formatBytes(kept)} of WAL kept`
            : undefined
      }
    />
  )
}

function Followers({ of }: { of: ServerFacts['followers'] }) {
  const lags = of.map(({ lagBytes }) => lagBytes).filter((lag) => lag !== null)
  return (
    <Stat
      label="Replicas that follow"
      value={of.length}
      href="/database/replicas"
      note={lags.length > 0 ? `${formatBytes(Math.max(...lags))} behind at most` : undefined}
    />
  )
}
