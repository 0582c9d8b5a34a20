import type { Metadata } from 'next'
import { Hydrate, prefetch, trpc } from '@/app/_lib/trpc'
import { ALERTS_PAGE } from './paging'
import { AlertsView } from './view'

export const metadata: Metadata = { title: 'Alerts' }

export default async function AlertsPage() {
  await prefetch(
    trpc.security.alerts.list.queryOptions({ limit: ALERTS_PAGE }),
    trpc.security.alerts.channels.queryOptions(),
    trpc.security.alerts.deliveries.queryOptions({ limit: ALERTS_PAGE }),
  )
  return (
    <Hydrate>
      <AlertsView />
    </Hydrate>
  )
}
