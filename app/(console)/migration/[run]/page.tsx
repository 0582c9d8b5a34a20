import type { Metadata } from 'next'
import { Hydrate, prefetch, trpc } from '@/app/_lib/trpc'
import { RunView } from './view'

export const metadata: Metadata = { title: 'Migration run' }

export default async function RunPage({ params }: { params: Promise<{ run: string }> }) {
  const { run: id } = await params
  await prefetch(trpc.migration.run.queryOptions({ id }), trpc.migration.log.queryOptions({ id, limit: 200 }))
  return (
    <Hydrate>
      <RunView id={id} />
    </Hydrate>
  )
}
