'use client'

import { useQuery } from '@tanstack/react-query'
import { nodeName } from '@/components/database/node-words'
import type { Topology } from '@/components/database/types'
import { useTRPC } from '@/components/trpc/trpc'
import { Empty } from '@/components/ui/empty'
import { ErrorTile, TileBoundary } from '@/components/ui/error-tile'
import { Skeleton } from '@/components/ui/skeleton'
import { Status } from '@/components/ui/status'
import { Mono, PageHeader } from '@/components/ui/text'
import { RelativeTime } from '@/components/ui/time'
import { Events } from './events'
import { Followers } from './followers'
import { Nodes } from './nodes'

/** Every node with its role and lag, what changed, and how the primary sees who follows it. */
export function ReplicasView() {
  const trpc = useTRPC()
  const topology = useQuery(trpc.database.topology.queryOptions(undefined, { refetchInterval: 2_000 }))
  const { data } = topology
  return (
    <>
      <PageHeader
        title="Replicas"
        lead={data && data.nodes.length > 0 ? <Lead topology={data} /> : undefined}
      />
      {topology.error && !data ? (
        <ErrorTile error={topology.error} what="The nodes" onRetry={() => void topology.refetch()} />
      ) : data ? (
        data.nodes.length === 0 ? (
          <Empty kind="not-enabled" title="SQLite has no replicas">
            The store is one file on this machine. Move it to PostgreSQL on the page Migration to have
            replicas.
          </Empty>
        ) : (
          <>
            <TileBoundary what="The nodes">
              <Nodes topology={data} />
            </TileBoundary>
            <TileBoundary what="Who follows the primary">
              <Followers />
            </TileBoundary>
            <TileBoundary what="What changed">
              <Events events={data.events} />
            </TileBoundary>
          </>
        )
      ) : (
        <Skeleton className="h-64 w-full" label="Reading the nodes" />
      )}
    </>
  )
}

function Lead({ topology: { writable, since, nodes } }: { topology: Topology }) {
  const primary = nodes.find(({ takesWrites }) => takesWrites)
  return (
    <span className="flex flex-wrap items-baseline gap-x-3">
      <Status kind={writable ? 'ok' : 'bad'}>{writable ? 'Writable' : 'Read-only'}</Status>
      <span>
        since <RelativeTime at={since} />
      </span>
      {primary ? (
        <span>
          writes go to <Mono>{nodeName(primary)}</Mono>
        </span>
      ) : null}
    </span>
  )
}
