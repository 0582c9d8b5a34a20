import type { Metadata } from 'next'
import { Hydrate, prefetch, trpc } from '@/app/_lib/trpc'
import { UsersView } from './view'

export const metadata: Metadata = { title: 'Users and roles' }

export default async function UsersPage() {
  await prefetch(
    trpc.security.users.queryOptions(),
    trpc.security.roles.queryOptions(),
    trpc.security.factorPolicy.queryOptions(),
  )
  return (
    <Hydrate>
      <UsersView />
    </Hydrate>
  )
}
