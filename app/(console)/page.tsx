import type { Metadata } from 'next'
import { cookies } from 'next/headers'
import { Hydrate, prefetch, requireReady, trpc } from '@/app/_lib/trpc'
import { lastDay } from '@/components/security/counts'
import { HARDENING_COOKIE } from '@/components/shell/preferences'
import { HardeningLine } from './hardening-line'
import { Overview } from './view'

export const metadata: Metadata = { title: 'Overview' }

export default async function OverviewPage() {
  const [{ role }, jar] = await Promise.all([requireReady(), cookies()])
  // Only an admin can do anything about it.
  const admin = role === 'admin'
  await prefetch(
    trpc.system.history.queryOptions({ samples: 60 }),
    trpc.system.health.queryOptions(),
    trpc.cache.stats.queryOptions(),
    trpc.migration.runs.queryOptions(),
    trpc.security.events.histogram.queryOptions(lastDay(Date.now())),
    ...(admin ? [trpc.system.hardening.queryOptions()] : []),
  )
  const putAway = jar.get(HARDENING_COOKIE)?.value.split('.') ?? []
  return (
    <Hydrate>
      <Overview hardening={admin ? <HardeningLine putAway={putAway} /> : null} />
    </Hydrate>
  )
}
