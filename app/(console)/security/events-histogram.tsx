'use client'

import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { StackedBars } from '@/components/charts/stacked-bars'
import { useLiveEvent } from '@/components/live/live'
import { useSteady } from '@/components/live/use-steady'
import { countsOf, sentenceOf } from '@/components/security/counts'
import { useTimeRange } from '@/components/shell/time-range'
import { useTRPC } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { ErrorTile } from '@/components/ui/error-tile'
import { Skeleton } from '@/components/ui/skeleton'
import { useUrlState } from '@/components/ui/url-state'
import { useZone } from '@/components/ui/zone'
import type { RouterInputs } from '@/server/routers/_app'

const HOUR_MS = 3_600_000

/** How many events there were over the chosen time; dragging over it chooses a part of it. */
export function EventsHistogram({
  asked,
  follows,
  now,
}: {
  asked: RouterInputs['security']['events']['histogram']
  follows: boolean
  now: number
}) {
  const trpc = useTRPC()
  const zone = useZone()
  const { change } = useUrlState()
  const { window, brush, range } = useTimeRange()
  const histogram = useQuery(
    trpc.security.events.histogram.queryOptions(asked, { placeholderData: keepPreviousData }),
  )
  const least = range.ms <= HOUR_MS ? 2_000 : 10_000
  const refetch = useSteady(() => histogram.refetch({ cancelRefetch: false }), least)
  useLiveEvent('audit', () => {
    if (follows) refetch()
  })
  const { data } = histogram
  if (histogram.isError && !data)
    return <ErrorTile error={histogram.error} what="Events over time" onRetry={() => histogram.refetch()} />
  if (!data) return <Skeleton className="h-[14.5rem] w-full" label="Counting the events" />
  const by = asked.by === 'severity' ? 'severity' : 'outcome'
  const counts = countsOf(data, by)
  return (
    <StackedBars
      title={`Events by ${by}`}
      name="holdfast-events"
      {...counts}
      stepMs={data.stepMs}
      from={data.from}
      to={data.to}
      now={now}
      sentence={sentenceOf(data, counts.series, zone)}
      onBrush={brush}
      aside={
        <>
          {window ? (
            <Button variant="plain" size="small" onClick={() => brush(null)}>
              Leave the window
            </Button>
          ) : null}
          <Button
            variant="plain"
            size="small"
            onClick={() => change({ by: by === 'outcome' ? 'severity' : null }, 'replace')}
          >
            By {by === 'outcome' ? 'severity' : 'outcome'}
          </Button>
        </>
      }
    />
  )
}
