import type { Metadata } from 'next'
import { Hydrate, prefetch, trpc } from '@/app/_lib/trpc'
import { ConnectionTest } from './view'

export const metadata: Metadata = { title: 'Connection test' }

export default async function ConnectionTestPage() {
  await prefetch(trpc.auth.me.queryOptions())
  return (
    <Hydrate>
      <ConnectionTest />
    </Hydrate>
  )
}
