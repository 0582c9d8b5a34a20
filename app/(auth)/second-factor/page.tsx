import type { Metadata } from 'next'
import { redirect } from 'next/navigation'
import { Hydrate, prefetch, requireSession, trpc } from '@/app/_lib/trpc'
import { AccountProvider } from '@/components/auth/account-provider'
import { nextPath } from '@/components/auth/next-path'
import { SecondFactor } from './view'

export const metadata: Metadata = { title: 'Second factor' }

/** For who must have a second factor before anything else. */
export default async function SecondFactorPage({
  searchParams,
}: {
  searchParams: Promise<{ next?: string | string[] }>
}) {
  const next = nextPath((await searchParams).next)
  const session = await requireSession(next)
  if (!session.needs.includes('factor')) redirect(next)
  await prefetch(trpc.account.factors.queryOptions())
  return (
    <AccountProvider session={session}>
      <Hydrate>
        <SecondFactor next={next} />
      </Hydrate>
    </AccountProvider>
  )
}
