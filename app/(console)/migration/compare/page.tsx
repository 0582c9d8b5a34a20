import type { Metadata } from 'next'
import { Hydrate, prefetch, trpc } from '@/app/_lib/trpc'
import { CompareView } from './view'

export const metadata: Metadata = { title: 'Compare runs' }

type Query = Promise<Record<string, string | string[] | undefined>>

export default async function ComparePage({ searchParams }: { searchParams: Query }) {
  const query = await searchParams
  const [a, b] = [query.a, query.b].map((id) => (typeof id === 'string' ? id : ''))
  await prefetch(
    ...[a, b]
      .filter((id) => id !== undefined && id !== '')
      .map((id) => trpc.migration.run.queryOptions({ id: id as string })),
  )
  return (
    <Hydrate>
      <CompareView a={a ?? ''} b={b ?? ''} />
    </Hydrate>
  )
}
