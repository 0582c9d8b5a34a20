import type { Metadata } from 'next'
import { Hydrate, prefetch, trpc } from '@/app/_lib/trpc'
import { HardeningView } from './view'

export const metadata: Metadata = { title: 'Hardening' }

export default async function HardeningPage() {
  await prefetch(trpc.system.hardening.queryOptions())
  return (
    <Hydrate>
      <HardeningView />
    </Hydrate>
  )
}
