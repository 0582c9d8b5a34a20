import type { Metadata } from 'next'
import { Hydrate, prefetch, trpc } from '@/app/_lib/trpc'
import { EVENTS_PAGE } from './events-page'
import { Security } from './view'

export const metadata: Metadata = { title: 'Security' }

export default async function SecurityPage({
  searchParams,
}: {
  searchParams: Promise<{ before?: string | string[] }>
}) {
  const asked = Number((await searchParams).before)
  const before = Number.isSafeInteger(asked) && asked > 0 ? asked : undefined
  await prefetch(
    trpc.security.overview.queryOptions(),
    trpc.security.events.queryOptions({ before, limit: EVENTS_PAGE }),
  )
  return (
    <Hydrate>
      <Security before={before} />
    </Hydrate>
  )
}
