import type { Metadata } from 'next'
import { cookies } from 'next/headers'
import { nextPath } from '@/components/auth/next-path'
import { SignIn } from './view'

export const metadata: Metadata = { title: 'Sign in' }

/** A session whose access has run out still has its refresh cookie: then the page goes on by itself. */
export default async function SignInPage({
  searchParams,
}: {
  searchParams: Promise<{ next?: string | string[] }>
}) {
  const { next } = await searchParams
  const jar = await cookies()
  const resumable = jar.getAll().some((cookie) => /^(__Host-)?holdfast-refresh$/.test(cookie.name))
  return <SignIn next={nextPath(next)} resumable={resumable} />
}
