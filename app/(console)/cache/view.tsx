'use client'

import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useMay } from '@/components/auth/use-may'
import { ClearDialog } from '@/components/cache/clear-dialog'
import { MissesTable } from '@/components/cache/misses-table'
import type { Stats } from '@/components/cache/types'
import { stateWord } from '@/components/cache/words'
import { useLiveEvent } from '@/components/live/live'
import { useKeptSamples } from '@/components/live/use-kept-samples'
import { useAsked } from '@/components/shell/use-asked'
import { useTRPC } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { ErrorTile, TileBoundary } from '@/components/ui/error-tile'
import { Skeleton } from '@/components/ui/skeleton'
import { Status } from '@/components/ui/status'
import { Mono, PageHeader, Section } from '@/components/ui/text'
import { RelativeTime } from '@/components/ui/time'
import { Changes } from './changes'
import { CacheCharts } from './charts'
import { Counts } from './counts'
import { Levels } from './levels'
import { Namespaces } from './namespaces'
import { Now } from './now'
import { StateCallout } from './state-callout'

/** The cache: its state and what that means, both levels, and every namespace. */
export function CacheView() {
  const trpc = useTRPC()
  const stats = useQuery(trpc.cache.stats.queryOptions(undefined, { refetchInterval: 5_000 }))
  useLiveEvent('health', () => void stats.refetch())
  const { manage } = useMay('cache')
  const [clearing, setClearing] = useState(false)
  useAsked('clear', () => setClearing(true), manage)
  const { data } = stats
  return (
    <>
      <PageHeader
        title="Cache"
        lead={data ? <Lead stats={data} /> : undefined}
        actions={manage ? <Button onClick={() => setClearing(true)}>Clear cache…</Button> : undefined}
      />
      {data ? <StateCallout stats={data} /> : null}
      <Figures stats={data} />
      {data ? (
        <>
          <TileBoundary what="The levels">
            <Levels stats={data} />
          </TileBoundary>
          <TileBoundary what="Namespaces">
            <Namespaces stats={data} />
          </TileBoundary>
          <div className="grid grid-cols-1 gap-x-8 lg:grid-cols-2">
            <TileBoundary what="Misses">
              <Section title="Misses by reason" note="since the start">
                <MissesTable misses={data.missesBy} />
              </Section>
            </TileBoundary>
            <TileBoundary what="Counts">
              <Counts stats={data} />
            </TileBoundary>
          </div>
          {data.mode === 'memory' ? null : (
            <TileBoundary what="Changes of state">
              <Changes changes={data.changes} />
            </TileBoundary>
          )}
        </>
      ) : stats.error ? (
        <ErrorTile error={stats.error} what="The cache" onRetry={() => void stats.refetch()} />
      ) : (
        <Skeleton className="mt-8 h-64 w-full" label="Reading the cache" />
      )}
      {clearing ? <ClearDialog target={{ scope: 'ours' }} onClose={() => setClearing(false)} /> : null}
    </>
  )
}

/** What changes with every sample, apart from what does not. */
function Figures({ stats }: { stats: Stats | undefined }) {
  const samples = useKeptSamples()
  return (
    <>
      <Now samples={samples} stats={stats} />
      <CacheCharts samples={samples} redis={stats ? stats.mode !== 'memory' : true} />
    </>
  )
}

function Lead({ stats }: { stats: Stats }) {
  const { kind, word } = stateWord(stats)
  return (
    <span className="flex flex-wrap items-baseline gap-x-3">
      <Status kind={kind}>{word}</Status>
      <span>
        since <RelativeTime at={stats.since} />
      </span>
      {stats.place ? <Mono>{stats.place}</Mono> : null}
    </span>
  )
}
