import type { Metadata } from 'next'
import { Hydrate, prefetch, trpc } from '@/app/_lib/trpc'
import { rangeOf, windowOf } from '@/components/shell/ranges'
import { byOf, questions, spanOf } from './filter'
import { Security } from './view'

export const metadata: Metadata = { title: 'Security' }

export default async function SecurityPage({
  searchParams,
}: {
  searchParams: Promise<Record<string, string | string[] | undefined>>
}) {
  const given = Object.entries(await searchParams)
  const params = new URLSearchParams(
    given.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
  )
  const now = Date.now()
  const span = spanOf(rangeOf(params.get('range'), '/security'), windowOf(params), now)
  const { list, histogram } = questions(params, span, byOf(params.get('by')))
  await prefetch(
    trpc.security.overview.queryOptions(),
    trpc.security.events.list.queryOptions(list),
    trpc.security.events.histogram.queryOptions(histogram),
    trpc.security.audit.state.queryOptions(),
    trpc.security.users.queryOptions(),
  )
  return (
    <Hydrate>
      <Security now={now} />
    </Hydrate>
  )
}
