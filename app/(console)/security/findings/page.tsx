import type { Metadata } from 'next'
import { Hydrate, prefetch, trpc } from '@/app/_lib/trpc'
import { readFilter } from './filter'
import { FindingsView } from './view'

export const metadata: Metadata = { title: 'Findings' }

export default async function FindingsPage({
  searchParams,
}: {
  searchParams: Promise<Record<string, string | string[] | undefined>>
}) {
  const params = await searchParams
  const filter = readFilter({ get: (name) => (typeof params[name] === 'string' ? params[name] : null) })
  await prefetch(trpc.security.findings.list.queryOptions(filter), trpc.security.rules.list.queryOptions())
  return (
    <Hydrate>
      <FindingsView />
    </Hydrate>
  )
}
