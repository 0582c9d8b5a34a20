import type { Metadata } from 'next'
import { getCaller, Hydrate, prefetch, trpc } from '@/app/_lib/trpc'
import { inputOf, placeOf } from './place'
import { KeysView } from './view'

export const metadata: Metadata = { title: 'Namespaces and keys' }

export default async function KeysPage({
  searchParams,
}: {
  searchParams: Promise<Record<string, string | string[] | undefined>>
}) {
  const asked = await searchParams
  const place = placeOf({ get: (name) => [asked[name]].flat()[0] ?? null })
  const stats = await (await getCaller()).cache.stats().catch(() => null)
  // Without Redis, or while it is away, the question would only hold the page up.
  const answers = stats !== null && stats.mode !== 'memory' && stats.state === 'redis'
  await prefetch(
    trpc.cache.stats.queryOptions(),
    ...(answers ? [trpc.cache.keys.queryOptions(inputOf(place))] : []),
  )
  return (
    <Hydrate>
      <KeysView />
    </Hydrate>
  )
}
