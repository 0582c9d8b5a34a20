import type { Metadata } from 'next'
import { redirect } from 'next/navigation'
import { getCaller, requireSession } from '@/app/_lib/trpc'
import { AccountProvider } from '@/components/auth/account-provider'
import { nextPath } from '@/components/auth/next-path'
import { NewPassword } from './view'

export const metadata: Metadata = { title: 'New password' }

/** For whom an admin asked for a new password before anything else. */
export default async function NewPasswordPage({
  searchParams,
}: {
  searchParams: Promise<{ next?: string | string[] }>
}) {
  const next = nextPath((await searchParams).next)
  const session = await requireSession(next)
  if (!session.needs.includes('new password')) redirect(next)
  const { passwordLength } = await (await getCaller()).auth.setUpState()
  return (
    <AccountProvider session={session}>
      <NewPassword next={next} least={passwordLength.least} />
    </AccountProvider>
  )
}
