import type { Metadata } from 'next'
import { Hydrate, prefetch, trpc } from '@/app/_lib/trpc'
import { Account } from './view'

export const metadata: Metadata = { title: 'Account' }

export default async function AccountPage() {
  await prefetch(
    trpc.auth.setUpState.queryOptions(),
    trpc.account.factors.queryOptions(),
    trpc.account.sessions.queryOptions(),
  )
  return (
    <Hydrate>
      <Account />
    </Hydrate>
  )
}
