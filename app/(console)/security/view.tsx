'use client'

import { useQuery, useSuspenseQuery } from '@tanstack/react-query'
import dynamic from 'next/dynamic'
import { useLiveEvent } from '@/components/live/live'
import { useSteady } from '@/components/live/use-steady'
import { useTimeRange } from '@/components/shell/time-range'
import { useTRPC } from '@/components/trpc/trpc'
import { Empty } from '@/components/ui/empty'
import { errorFacts } from '@/components/ui/error-facts'
import { TileBoundary } from '@/components/ui/error-tile'
import { formatCount } from '@/components/ui/format'
import { Stat, StatRow } from '@/components/ui/stat'
import { PageHeader } from '@/components/ui/text'
import { useDrawer, useUrlState } from '@/components/ui/url-state'
import { Chips } from './chips'
import { EventList } from './event-list'
import { EventsHistogram } from './events-histogram'
import { ExportButton } from './export-button'
import { byOf, questions, readFilter, spanOf, stepOf } from './filter'
import { EventsFilterBar } from './filter-bar'
import { LogState } from './log-state'
import { useNames } from './use-names'
import { usePresent } from './use-present'

const EventDrawer = dynamic(() => import('./event-drawer').then((module) => module.EventDrawer))

/** What happened: how much, what exactly, and whether the log that says so can be trusted. */
export function Security({ now: opened }: { now: number }) {
  const trpc = useTRPC()
  const { params } = useUrlState()
  const { range, window } = useTimeRange()
  const now = usePresent(opened, stepOf(range))
  const filter = readFilter(params)
  const { wanted, list, histogram } = questions(params, spanOf(range, window, now), byOf(params.get('by')))
  const counts = useQuery(trpc.security.events.histogram.queryOptions(histogram))
  const follows = window === null
  const nameOf = useNames()
  const drawer = useDrawer('event')
  const total = counts.data?.total
  const denied = counts.isError && errorFacts(counts.error).code === 'FORBIDDEN'
  return (
    <>
      <PageHeader
        title="Security"
        lead="Who signed in, and what the console did."
        actions={<ExportButton wanted={wanted} total={total} />}
      />
      <TileBoundary what="Figures">
        <Figures />
      </TileBoundary>
      <TileBoundary what="State of the log">
        <LogState onOpen={(seq) => drawer.open(String(seq))} />
      </TileBoundary>
      {denied ? (
        <Empty kind="no-permission" title="You may not read the audit log">
          It takes the permission security:read. An admin can give it.
        </Empty>
      ) : (
        <>
          <EventsFilterBar filter={filter} />
          <Chips
            filter={filter}
            nameOf={nameOf}
            count={total === undefined ? '' : formatCount(total, 'event')}
          />
          <TileBoundary what="Events over time">
            <EventsHistogram asked={histogram} follows={follows} now={now} />
          </TileBoundary>
          <TileBoundary what="Audit events">
            <EventList
              asked={list}
              question={JSON.stringify([filter, window ?? range.key])}
              follows={follows}
            />
          </TileBoundary>
        </>
      )}
      {drawer.id === null ? null : <EventDrawer id={drawer.id} onOpen={drawer.open} onClose={drawer.close} />}
    </>
  )
}

function Figures() {
  const trpc = useTRPC()
  const { data: figures, refetch } = useSuspenseQuery(trpc.security.overview.queryOptions())
  const again = useSteady(() => refetch({ cancelRefetch: false }), 5_000)
  useLiveEvent('audit', again)
  return (
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
  )
}
