'use client'

import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { CrosshairProvider } from '@/components/charts/crosshair'
import { StackedBars } from '@/components/charts/stacked-bars'
import { useLiveEvent } from '@/components/live/live'
import { useSteady } from '@/components/live/use-steady'
import { countsOf, sentenceOf } from '@/components/security/counts'
import { useTimeRange } from '@/components/shell/time-range'
import { useTRPC } from '@/components/trpc/trpc'
import { ErrorTile, TileBoundary } from '@/components/ui/error-tile'
import { Link } from '@/components/ui/link'
import { plainLink } from '@/components/ui/plain-link'
import { Skeleton } from '@/components/ui/skeleton'
import { PageHeader } from '@/components/ui/text'
import { useUrlState } from '@/components/ui/url-state'
import { useZone } from '@/components/ui/zone'
import { spanOf, stepOf } from '../filter'
import { usePresent } from '../use-present'
import { CHARTS, type Chart, listHref, questionOf } from './charts'

/** How the console was used and tried over the chosen time. */
export function ActivityView({ now: opened }: { now: number }) {
  const { range, window } = useTimeRange()
  const now = usePresent(opened, stepOf(range))
  const span = spanOf(range, window, now)
  return (
    <>
      <PageHeader
        title="Activity"
        lead="How accounts, limits and second factors were used. Drag over a chart to choose a part of the time."
      />
      <CrosshairProvider>
        <div className="grid grid-cols-1 gap-x-8 gap-y-8 xl:grid-cols-2">
          {CHARTS.map((chart) => (
            <TileBoundary key={chart.key} what={chart.title}>
              <CountChart chart={chart} span={span} now={now} follows={window === null} />
            </TileBoundary>
          ))}
        </div>
      </CrosshairProvider>
    </>
  )
}

const LEAST_MS = 10_000

function CountChart({
  chart,
  span,
  now,
  follows,
}: {
  chart: Chart
  span: { from: number; to?: number }
  now: number
  follows: boolean
}) {
  const trpc = useTRPC()
  const zone = useZone()
  const { params } = useUrlState()
  const { brush } = useTimeRange()
  const counted = useQuery(
    trpc.security.events.histogram.queryOptions(questionOf(chart, span), {
      placeholderData: keepPreviousData,
    }),
  )
  const again = useSteady(() => counted.refetch({ cancelRefetch: false }), LEAST_MS)
  useLiveEvent('audit', () => {
    if (follows) again()
  })
  const { data } = counted
  if (counted.isError && !data)
    return <ErrorTile error={counted.error} what={chart.title} onRetry={() => counted.refetch()} />
  if (!data) return <Skeleton className="h-[15.5rem] w-full" label={`Counting ${chart.title}`} />
  const counts = countsOf(data, chart.groups ?? (chart.by === 'severity' ? 'severity' : 'outcome'))
  return (
    <StackedBars
      title={chart.title}
      name={`holdfast-${chart.key}`}
      {...counts}
      stepMs={data.stepMs}
      from={data.from}
      to={data.to}
      now={now}
      sentence={
        data.total === 0
          ? `${chart.none} ${sentenceOf(data, counts.series, zone)}`
          : sentenceOf(data, counts.series, zone)
      }
      onBrush={brush}
      aside={
        <Link href={listHref(chart, params)} className={`${plainLink} px-2 text-note text-muted`}>
          Events<span className="sr-only"> of {chart.title}</span>
        </Link>
      }
    />
  )
}
