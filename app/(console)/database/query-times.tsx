import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { Point } from '@/components/charts/geometry'
import { HeatMap } from '@/components/charts/heat-map'
import type { Sample } from '@/components/live/types'
import { SAMPLES_MS, useTimeRange } from '@/components/shell/time-range'
import { useTRPC } from '@/components/trpc/trpc'
import { Empty } from '@/components/ui/empty'
import { ErrorTile } from '@/components/ui/error-tile'
import { Skeleton } from '@/components/ui/skeleton'
import { boundWords, sentenceOf, spanOf } from './query-time-words'

const TITLE = 'Statements by the time they took'
const POINTS = 121

/** How many statements took how long, over the chosen time. */
export function QueryTimes({ samples }: { samples: readonly Sample[] }) {
  const trpc = useTRPC()
  const { range, window, brush } = useTimeRange()
  const newest = samples.at(-1)?.at ?? 0
  const now = spanOf({ window, rangeMs: range.ms, first: samples[0]?.at ?? 0, newest, keptMs: SAMPLES_MS })
  const [held, setHeld] = useState<typeof now | null>(null)
  const { from, to, everyMs } = held ?? now
  const { data, error, refetch } = useQuery(
    trpc.system.queryTimes.queryOptions(
      { from, to, points: POINTS },
      // A span that follows the present is asked for once: the next one is another.
      { placeholderData: keepPreviousData, enabled: newest > 0, staleTime: everyMs, gcTime: 2 * everyMs },
    ),
  )
  if (error && !data) return <ErrorTile error={error} what={TITLE} onRetry={() => void refetch()} />
  if (!data) return <Loading />
  if (data.statements === 0) return <Nothing measured={data.counts.some((column) => column !== null)} />
  const end = (data.at.at(-1) ?? from) + data.step
  return (
    <HeatMap
      title={TITLE}
      name="holdfast_database_query_seconds"
      what="statements"
      sentence={sentenceOf(data)}
      times={data.at}
      stepMs={data.step}
      cells={data.counts}
      bounds={data.bounds}
      format={(bound: Point) => boundWords(bound)}
      from={from}
      to={end > from ? Math.min(to, end) : to}
      onBrush={(chosen) => {
        setHeld(null)
        brush(chosen)
      }}
      onHold={(hold) => setHeld(hold ? now : null)}
    />
  )
}

function Loading() {
  return <Skeleton className="h-60 w-full max-sm:h-83" label={`Reading ${TITLE}`} />
}

function Nothing({ measured }: { measured: boolean }) {
  return (
    <figure aria-label={TITLE} className="flex min-h-60 min-w-0 flex-col max-sm:min-h-83">
      <figcaption className="mb-1 font-medium">{TITLE}</figcaption>
      <div className="flex flex-1 items-center border-y border-border">
        {measured ? (
          <Empty kind="no-data" title="No statement ran in this time" />
        ) : (
          <Empty kind="no-data" title="No history of this time is stored">
            How long statements took is kept for 30 days, beginning with release 0.8.0.
          </Empty>
        )}
      </div>
    </figure>
  )
}
