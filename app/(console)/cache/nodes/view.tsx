'use client'

import { useQuery } from '@tanstack/react-query'
import { RedisOnly } from '@/components/cache/redis-only'
import { MODES } from '@/components/cache/words'
import { useTRPC } from '@/components/trpc/trpc'
import { ErrorTile, TileBoundary } from '@/components/ui/error-tile'
import { Skeleton } from '@/components/ui/skeleton'
import { PageHeader } from '@/components/ui/text'
import { ReadAt } from '@/components/ui/time'
import { ClusterFacts } from './cluster-facts'
import { Failing } from './failing'
import { NodeTable } from './node-table'
import { SentinelFacts } from './sentinel-facts'
import { SlotsSection } from './slots-section'

/** What every node of Redis tells of itself. */
export function NodesView() {
  return (
    <RedisOnly header={<PageHeader title="Nodes" />}>
      {({ mode }) => <Nodes mode={mode === 'memory' ? 'single' : mode} />}
    </RedisOnly>
  )
}

function Nodes({ mode }: { mode: 'single' | 'cluster' | 'sentinel' }) {
  const trpc = useTRPC()
  const nodes = useQuery(trpc.cache.nodes.queryOptions(undefined, { refetchInterval: 2_000 }))
  const { data, error } = nodes
  return (
    <>
      <PageHeader
        title="Nodes"
        lead={
          data ? (
            <>
              {capital(MODES[mode])}. <ReadAt at={data.at} />
            </>
          ) : undefined
        }
      />
      {error ? (
        <div className="mb-4">
          <ErrorTile error={error} what="Nodes" onRetry={() => nodes.refetch()} />
        </div>
      ) : null}
      {data ? (
        <>
          <Failing nodes={data.nodes} />
          <TileBoundary what="Nodes">
            <NodeTable nodes={data.nodes} />
          </TileBoundary>
          {data.sentinel ? <SentinelFacts sentinel={data.sentinel} /> : null}
          {data.cluster ? (
            <>
              <TileBoundary what="Slots">
                <SlotsSection nodes={data.nodes} />
              </TileBoundary>
              <ClusterFacts cluster={data.cluster} />
            </>
          ) : null}
        </>
      ) : error ? null : (
        <Skeleton className="h-64 w-full" label="Asking the nodes" />
      )}
    </>
  )
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)
