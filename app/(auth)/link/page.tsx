import type { Metadata } from 'next'
import { OneTimeLink } from './view'

export const metadata: Metadata = { title: 'One-time link', referrer: 'no-referrer' }

/** An invitation or a password reset. The token stands behind #, which no browser sends. */
export default function LinkPage() {
  return <OneTimeLink />
}
