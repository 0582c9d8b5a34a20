import type { Metadata } from 'next'
import { redirect } from 'next/navigation'
import { requireSession } from '@/app/_lib/trpc'
import { AccountProvider } from '@/components/auth/account-provider'
import { nextPath } from '@/components/auth/next-path'
import { FreshFactor } from './view'

export const metadata: Metadata = { title: 'Confirm that it is you' }

/** For whose session a threat rule doubts. */
export default async function FreshFactorPage({
  searchParams,
}: {
  searchParams: Promise<{ next?: string | string[] }>
}) {
  const next = nextPath((await searchParams).next)
  const session = await requireSession(next)
  if (!session.needs.includes('fresh factor')) redirect(next)
  return (
    <AccountProvider session={session}>
      <FreshFactor next={next} />
    </AccountProvider>
  )
}
