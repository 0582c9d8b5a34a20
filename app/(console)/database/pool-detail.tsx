'use client'

import { useQuery } from '@tanstack/react-query'
import type { PoolDetail } from '@/components/database/types'
import { useTRPC } from '@/components/trpc/trpc'
import { ErrorTile } from '@/components/ui/error-tile'
import { formatDuration, formatNumber } from '@/components/ui/format'
import { Skeleton } from '@/components/ui/skeleton'
import { Status, type StatusKind } from '@/components/ui/status'
import { KeyValue, type KeyValueItem, Mono, Section } from '@/components/ui/text'
import { Leaks } from './leaks'

/** How the pool works with what stands between it and the server, its limits, and who holds connections too long. */
export function PoolDetails() {
  const trpc = useTRPC()
  const { data, error, refetch } = useQuery(
    trpc.database.pool.queryOptions(undefined, { refetchInterval: 5_000 }),
  )
  if (error && !data) return <ErrorTile error={error} what="The pool" onRetry={() => void refetch()} />
  if (data === undefined) return <Skeleton className="mt-8 h-64 w-full" label="Reading the pool" />
  // SQLite has one handle and no pool.
  if (data === null) return null
  return (
    <>
      <div className="grid grid-cols-1 gap-x-8 lg:grid-cols-2">
        <Section title="How it works with the server">
          <KeyValue items={modeItems(data.mode)} />
        </Section>
        <Section title="Limits" note="as configured, for each server">
          <KeyValue items={limitItems(data.limits)} />
        </Section>
      </div>
      <Leaks leaks={data.leaks} after={data.limits.leakTimeout} />
    </>
  )
}

function modeItems({ pooler, prepared, pipelined, sessions }: PoolDetail['mode']): KeyValueItem[] {
  if (pooler === null) {
    return [
      {
        label: 'Pooler in between',
        value: <Said kind="busy" word="Not known before the first connection" />,
      },
    ]
  }
  return [
    {
      label: 'Pooler in between',
      value: pooler ? (
        <Said kind="warn" word="Found">
          Each transaction may come to another session of the server.
        </Said>
      ) : (
        <Said kind="ok" word="None" />
      ),
    },
    {
      label: 'Prepared statements',
      value: prepared ? (
        <Said kind="ok" word="On" />
      ) : (
        <Said kind="warn" word="Off">
          Each statement is planned anew.{' '}
          {pooler ? 'If the pooler knows them (PgBouncer 1.21 and later), set ' : 'To turn them on, set '}
          <Mono>DB_PREPARED=on</Mono>.
        </Said>
      ),
    },
    {
      label: 'Several statements on one connection',
      value: pipelined ? (
        <Said kind="ok" word="On" />
      ) : (
        <Said kind="off" word="Off">
          A pooler in between cannot be relied on for it.
        </Said>
      ),
    },
    {
      label: 'Sessions: LISTEN, session locks, COPY, cancel',
      value: sessions ? (
        <Said kind="ok" word="On" />
      ) : (
        <Said kind="warn" word="Off">
          Transaction locks and polling stand in. Set <Mono>DB_DIRECT_HOST</Mono> to the address of the server
          itself.
        </Said>
      ),
    },
  ]
}

function Said({ kind, word, children }: { kind: StatusKind; word: string; children?: React.ReactNode }) {
  return (
    <>
      <Status kind={kind}>{word}</Status>
      {children ? <span className="block text-muted">{children}</span> : null}
    </>
  )
}

function limitItems(limits: PoolDetail['limits']): KeyValueItem[] {
  const time = (ms: number, never: string) => (ms === 0 ? never : formatDuration(ms))
  return [
    {
      label: 'Connections, at least · at most',
      value: `${formatNumber(limits.min)} · ${formatNumber(limits.max)}`,
    },
    { label: 'Wait for a connection', value: formatDuration(limits.acquireTimeout) },
    { label: 'To connect', value: formatDuration(limits.connectTimeout) },
    { label: 'One statement', value: time(limits.queryTimeout, 'no limit') },
    { label: 'Unused before it is closed', value: formatDuration(limits.idleTimeout) },
    { label: 'Held before it is a leak', value: time(limits.leakTimeout, 'never') },
  ]
}
