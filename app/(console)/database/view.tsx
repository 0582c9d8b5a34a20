'use client'

import { useQuery } from '@tanstack/react-query'
import type { Stats } from '@/components/database/types'
import { useKeptSamples } from '@/components/live/use-kept-samples'
import { useTRPC } from '@/components/trpc/trpc'
import { ErrorTile, TileBoundary } from '@/components/ui/error-tile'
import { Skeleton } from '@/components/ui/skeleton'
import { Status } from '@/components/ui/status'
import { Mono, PageHeader } from '@/components/ui/text'
import { PoolCharts } from './charts'
import { Counts, Errors } from './counts'
import { Facts } from './facts'
import { NodePools } from './node-pools'
import { Now } from './now'
import { PoolDetails } from './pool-detail'

/** The pool and the database under it: live, over time, and since it was opened. */
export function PoolsView() {
  const trpc = useTRPC()
  const stats = useQuery(trpc.database.stats.queryOptions(undefined, { refetchInterval: 5_000 }))
  const { data } = stats
  return (
    <>
      <PageHeader title="Database" lead={data ? <Lead stats={data} /> : undefined} />
      <Figures stats={data} />
      {data ? (
        <>
          <div className="grid grid-cols-1 gap-x-8 lg:grid-cols-2">
            <TileBoundary what="Counts">
              <Counts stats={data} />
            </TileBoundary>
            <TileBoundary what="The database">
              <Facts stats={data} />
            </TileBoundary>
          </div>
          {data.pool ? (
            <>
              <TileBoundary what="Pools of the nodes">
                <NodePools />
              </TileBoundary>
              <TileBoundary what="The pool">
                <PoolDetails />
              </TileBoundary>
            </>
          ) : null}
          <TileBoundary what="Errors">
            <Errors stats={data} />
          </TileBoundary>
        </>
      ) : stats.error ? (
        <ErrorTile error={stats.error} what="The database" onRetry={() => void stats.refetch()} />
      ) : (
        <Skeleton className="mt-8 h-64 w-full" label="Reading the database" />
      )}
    </>
  )
}

/** What changes with every sample, apart from what does not. */
function Figures({ stats }: { stats: Stats | undefined }) {
  const samples = useKeptSamples()
  return (
    <>
      <Now samples={samples} stats={stats} />
      <PoolCharts samples={samples} pooled={stats ? stats.pool !== null : true} />
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
