import type { Metadata } from 'next'
import { Hydrate, prefetch, trpc } from '@/app/_lib/trpc'
import { ConfigurationView } from './view'

export const metadata: Metadata = { title: 'Configuration' }

export default async function ConfigurationPage() {
  await prefetch(trpc.system.config.queryOptions())
  return (
    <Hydrate>
      <ConfigurationView />
    </Hydrate>
  )
}
