'use client'

import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query'
import { type Alert, alertHref } from '@/components/alerts/words'
import { saysOf } from '@/components/auth/client'
import { SeverityMark } from '@/components/security/severity-mark'
import { useTRPC, useTRPCClient } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { Empty } from '@/components/ui/empty'
import { ErrorTile } from '@/components/ui/error-tile'
import { Link } from '@/components/ui/link'
import { Skeleton } from '@/components/ui/skeleton'
import { type Column, Table } from '@/components/ui/table'
import { Section } from '@/components/ui/text'
import { RelativeTime } from '@/components/ui/time'
import { useToast } from '@/components/ui/toast'
import { PagesNav } from './pages-nav'
import { ALERTS_PAGE } from './paging'
import { usePages } from './use-pages'

/** What was raised, the latest first, and who put it away. */
export function AlertList({ operate }: { operate: boolean }) {
  const trpc = useTRPC()
  const { security } = useTRPCClient()
  const queries = useQueryClient()
  const toast = useToast()
  const pages = usePages()
  const alerts = useQuery(
    trpc.security.alerts.list.queryOptions(
      { limit: ALERTS_PAGE, before: pages.before },
      { placeholderData: keepPreviousData },
    ),
  )
  const { data } = alerts
  const seen = async (which: { ids: string[] } | { until: number }) => {
    try {
      await security.alerts.markSeen.mutate(which)
    } catch (error) {
      toast({ text: saysOf(error), tone: 'bad' })
    }
    await queries.invalidateQueries(trpc.security.alerts.pathFilter())
  }
  const newest = data?.rows[0]?.createdAt
  const waiting = data?.rows.some(({ seenAt }) => seenAt === null) ?? false
  return (
    <Section
      title="In the console"
      note="The latest first."
      actions={
        operate && newest !== undefined && waiting ? (
          <Button onClick={() => seen({ until: newest })}>Mark all as seen</Button>
        ) : null
      }
    >
      {alerts.isPending ? <Skeleton className="h-48 w-full" label="Reading the alerts" /> : null}
      {alerts.isError && !data ? (
        <ErrorTile error={alerts.error} what="Alerts" onRetry={() => alerts.refetch()} />
      ) : null}
      {data ? (
        <Table
          caption="Alerts"
          density="roomy"
          columns={columnsOf(operate ? (id) => seen({ ids: [id] }) : undefined)}
          rows={data.rows}
          rowKey={({ id }) => id}
          rowTone={({ seenAt, severity }) =>
            seenAt !== null ? undefined : severity === 'high' || severity === 'critical' ? 'bad' : 'warn'
          }
          empty={
            <Empty kind="no-data" title="No alert was raised yet">
              A finding raises one.
            </Empty>
          }
        />
      ) : null}
      <PagesNav label="Pages of alerts" pages={pages} next={data?.next} />
    </Section>
  )
}

function columnsOf(onSeen: ((id: string) => unknown) | undefined): Column<Alert>[] {
  return [
    {
      key: 'title',
      header: 'Alert',
      rowHeader: true,
      cell: (alert) => (
        <span className="block min-w-56 whitespace-normal">
          {alert.findingId ? <Link href={alertHref(alert)}>{alert.title}</Link> : alert.title}
          <span className="line-clamp-2 text-note font-normal text-muted">{alert.body}</span>
        </span>
      ),
    },
    { key: 'severity', header: 'Severity', cell: ({ severity }) => <SeverityMark severity={severity} /> },
    {
      key: 'raised',
      header: 'Raised',
      numeric: true,
      cell: ({ createdAt }) => <RelativeTime at={createdAt} />,
    },
    {
      key: 'seen',
      header: 'Seen by',
      className: 'text-right',
      cell: ({ id, seenBy, seenAt, title }) =>
        seenAt !== null ? (
          <span className="text-muted">{seenBy}</span>
        ) : onSeen ? (
          <Button size="small" aria-label={`Mark as seen: ${title}`} onClick={() => onSeen(id)}>
            Mark as seen
          </Button>
        ) : (
          <span className="text-muted">nobody yet</span>
        ),
    },
  ]
}
