import type { Metadata } from 'next'
import { Hydrate, prefetch, trpc } from '@/app/_lib/trpc'
import { rangeOf, windowOf } from '@/components/shell/ranges'
import { spanOf } from '../filter'
import { CHARTS, questionOf } from './charts'
import { ActivityView } from './view'

export const metadata: Metadata = { title: 'Activity' }

export default async function ActivityPage({
  searchParams,
}: {
  searchParams: Promise<Record<string, string | string[] | undefined>>
}) {
  const given = Object.entries(await searchParams)
  const params = new URLSearchParams(
    given.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
  )
  const now = Date.now()
  const span = spanOf(rangeOf(params.get('range'), '/security/activity'), windowOf(params), now)
  await prefetch(
    ...CHARTS.map((chart) => trpc.security.events.histogram.queryOptions(questionOf(chart, span))),
  )
  return (
    <Hydrate>
      <ActivityView now={now} />
    </Hydrate>
  )
}
