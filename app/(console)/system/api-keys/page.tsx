import type { Metadata } from 'next'
import { Hydrate, prefetch, trpc } from '@/app/_lib/trpc'
import { ApiKeysView } from './view'

export const metadata: Metadata = { title: 'API keys' }

export default async function ApiKeysPage() {
  await prefetch(trpc.security.apiKeys.queryOptions())
  return (
    <Hydrate>
      <ApiKeysView />
    </Hydrate>
  )
}
