import type { Metadata } from 'next'
import { Hydrate, prefetch, trpc } from '@/app/_lib/trpc'
import { SigningKeysView } from './view'

export const metadata: Metadata = { title: 'Signing keys' }

export default async function SigningKeysPage() {
  await prefetch(trpc.security.signingKeys.queryOptions(), trpc.system.config.queryOptions())
  return (
    <Hydrate>
      <SigningKeysView />
    </Hydrate>
  )
}
