'use client'

import { useQuery, useQueryClient, useSuspenseQuery } from '@tanstack/react-query'
import Link from 'next/link'
import { useLiveEvent } from '@/components/live/live'
import { useTRPC } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { buttonClass } from '@/components/ui/button-class'
import { Empty } from '@/components/ui/empty'
import { ErrorTile } from '@/components/ui/error-tile'
import { formatCount } from '@/components/ui/format'
import { Skeleton } from '@/components/ui/skeleton'
import { Stat, StatRow } from '@/components/ui/stat'
import { Status, type StatusKind } from '@/components/ui/status'
import { type Column, Table } from '@/components/ui/table'
import { PageHeader, Section } from '@/components/ui/text'
import { Time } from '@/components/ui/time'
import type { RouterOutputs } from '@/server/routers/_app'
import { EVENTS_PAGE } from './events-page'

type EventEntry = RouterOutputs['security']['events']['events'][number]

const outcomes: Record<EventEntry['outcome'], { kind: StatusKind; word: string }> = {
  success: { kind: 'ok', word: 'Success' },
  failure: { kind: 'warn', word: 'Failure' },
  denied: { kind: 'bad', word: 'Denied' },
}

const columns: Column<EventEntry>[] = [
  {
    key: 'time',
    header: 'Time',
    className: 'whitespace-nowrap',
    cell: ({ time }) => <Time at={time} seconds />,
  },
  {
    key: 'event',
    header: 'Event',
    rowHeader: true,
    cell: ({ event }) => <span className="font-mono whitespace-nowrap">{event}</span>,
  },
  {
    key: 'outcome',
    header: 'Outcome',
    cell: ({ outcome, reason }) => (
      <>
        <Status kind={outcomes[outcome].kind}>{outcomes[outcome].word}</Status>
        {reason ? <span className="ml-2 whitespace-nowrap text-muted">{reason}</span> : null}
      </>
    ),
  },
  { key: 'actor', header: 'Actor', cell: ({ actor }) => actor },
  {
    key: 'address',
    header: 'Address',
    cell: ({ address }) =>
      address ? (
        <span className="font-mono whitespace-nowrap">{address}</span>
      ) : (
        <span className="text-muted">none</span>
      ),
  },
  { key: 'seq', header: 'Number', numeric: true, cell: ({ seq }) => seq },
]

export function Security({ before }: { before?: number }) {
  const trpc = useTRPC()
  const { data: figures } = useSuspenseQuery(trpc.security.overview.queryOptions())
  const queries = useQueryClient()
  // A page of older events stays as it is: numbers below do not move.
  useLiveEvent('audit', () => {
    queries.invalidateQueries(trpc.security.overview.queryFilter())
    if (before === undefined) queries.invalidateQueries(trpc.security.events.queryFilter())
  })
  return (
    <>
      <PageHeader title="Security" lead="Who signed in, and what the console did." />
      <StatRow label="Security figures" columns={4}>
        <Stat
          label="Sessions"
          value={figures.sessions}
          note={`of ${formatCount(figures.usersSignedIn, 'user')}`}
          metric="holdfast_security_sessions"
          href="/security/sessions"
        />
        <Stat label="Events, 24 h" value={figures.eventsToday} />
        <Stat
          label="Failures, 24 h"
          value={figures.failuresToday}
          tone={figures.failuresToday > 0 ? 'warn' : undefined}
        />
        <Stat
          label="Events, all"
          value={figures.eventsTotal}
          note="each chained to the one before"
          metric="holdfast_audit_events"
        />
      </StatRow>
      <Events before={before} />
    </>
  )
}

function Events({ before }: { before?: number }) {
  const trpc = useTRPC()
  const events = useQuery(trpc.security.events.queryOptions({ before, limit: EVENTS_PAGE }))
  const next = events.data?.next
  return (
    <Section
      title="Audit events"
      note={before === undefined ? 'The latest first.' : `Before number ${before}.`}
      actions={
        <Button onClick={() => events.refetch()} busy={events.isRefetching}>
          Refresh
        </Button>
      }
    >
      {events.isError ? (
        <ErrorTile error={events.error} what="Audit events" onRetry={() => events.refetch()} />
      ) : null}
      {events.isPending ? <Skeleton className="h-96 w-full" label="Audit events" /> : null}
      {events.data ? (
        <Table
          caption="Audit events"
          columns={columns}
          rows={events.data.events}
          rowKey={({ seq }) => String(seq)}
          rowTone={({ outcome }) =>
            outcome === 'denied' ? 'bad' : outcome === 'failure' ? 'warn' : undefined
          }
          empty={<Empty kind="no-data" title="There are no older events" />}
        />
      ) : null}
      <nav aria-label="Pages of events" className="mt-3 flex gap-2">
        {before === undefined ? null : (
          <Link href="/security" className={buttonClass()}>
            Latest events
          </Link>
        )}
        {next ? (
          <Link href={`/security?before=${next}`} className={buttonClass()}>
            Older events
          </Link>
        ) : null}
      </nav>
    </Section>
  )
}
