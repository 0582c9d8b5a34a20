import { setTimeout } from 'node:timers/promises'
import type { Metadata } from 'next'
import { Hydrate, prefetch, trpc } from '@/app/_lib/trpc'
import { IndexesView } from './view'

export const metadata: Metadata = { title: 'Index advice' }

/** Advice that is not at hand takes seconds of planning: the page comes without it, and the advice after it. */
const PATIENCE_MS = 400

export default async function IndexesPage() {
  const advice = prefetch(trpc.database.advice.queryOptions({}))
  await Promise.all([
    prefetch(trpc.database.indexChanges.queryOptions(), trpc.database.statements.queryOptions()),
    Promise.race([advice, setTimeout(PATIENCE_MS)]),
  ])
  return (
    <Hydrate>
      <IndexesView />
    </Hydrate>
  )
}
