import type { Metadata } from 'next'
import { SetUp } from './view'

export const metadata: Metadata = { title: 'Set up', referrer: 'no-referrer' }

/** The token of the link stands behind #, which no browser sends: only the page itself reads it. */
export default function SetUpPage() {
  return <SetUp />
}
