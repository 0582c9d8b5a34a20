'use client'

import { useQuery } from '@tanstack/react-query'
import { useTRPC } from '@/components/trpc/trpc'
import { Banner } from '@/components/ui/callout'
import { RelativeTime } from '@/components/ui/time'
import { Link } from '../ui/link'
import { useLiveEvent } from './live'

const WATCH_MS = 10_000
/** While nothing can be written, its end is looked for more often. */
const AWAIT_MS = 2_000

/** Says on every page that no primary takes writes: what works, what waits, since when. */
export function ReadOnlyBanner() {
  const trpc = useTRPC()
  const { data, refetch } = useQuery(
    trpc.database.topology.queryOptions(undefined, {
      refetchInterval: ({ state }) => (state.data?.writable === false ? AWAIT_MS : WATCH_MS),
      retry: false,
    }),
  )
  useLiveEvent('health', () => void refetch())
  // Right after the start no node has answered yet: that is not trouble.
  if (!data || data.writable || data.nodes.every(({ role }) => role === 'unknown')) return null
  const reads = data.nodes.some(({ takesReads }) => takesReads)
  return (
    <Banner
      tone="bad"
      actions={
        <Link
          href="/database/replicas"
          className="underline decoration-border underline-offset-4 hover:decoration-current"
        >
          See the nodes
        </Link>
      }
    >
      <span data-read-only="">
        Read-only since <RelativeTime at={data.since} />: no primary takes writes.{' '}
        {reads
          ? 'Pages and reads work; changes, sign-ins and the audit log wait for a primary.'
          : 'No node answers reads either: pages show what they last knew.'}{' '}
        It ends by itself.
      </span>
    </Banner>
  )
}
