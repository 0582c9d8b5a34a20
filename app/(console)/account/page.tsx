import type { Metadata } from 'next'
import { Hydrate, prefetch, trpc } from '@/app/_lib/trpc'
import { Account } from './view'

export const metadata: Metadata = { title: 'Account' }

export default async function AccountPage() {
  await prefetch(trpc.auth.me.queryOptions(), trpc.security.sessions.queryOptions())
  return (
    <Hydrate>
      <Account />
    </Hydrate>
  )
}
