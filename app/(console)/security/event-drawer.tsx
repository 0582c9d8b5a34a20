'use client'

import { keepPreviousData, useQuery } from '@tanstack/react-query'
import clsx from 'clsx'
import type { ReactNode } from 'react'
import { eventInWords, outcomeWords } from '@/components/security/event-words'
import { SeverityMark } from '@/components/security/severity-mark'
import { useTRPC } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { CopyButton } from '@/components/ui/copy-button'
import { Drawer } from '@/components/ui/drawer'
import { ErrorTile } from '@/components/ui/error-tile'
import { Link } from '@/components/ui/link'
import { plainLink } from '@/components/ui/plain-link'
import { Skeleton } from '@/components/ui/skeleton'
import { Status } from '@/components/ui/status'
import { KeyValue, type KeyValueItem, Mono } from '@/components/ui/text'
import { Time } from '@/components/ui/time'
import type { RouterOutputs } from '@/server/routers/_app'
import { Changes } from './event-changes'
import type { EventsFilter } from './filter'
import { FilterValue } from './filter-value'
import { hrefOf } from './target-links'
import { useNames } from './use-names'

type EventDetail = RouterOutputs['security']['events']['one']
type Neighbours = NonNullable<EventDetail['neighbours'][keyof EventDetail['neighbours']]>

/** One event, whole, with what its session, actor and address did right before and after. */
export function EventDrawer({
  id,
  onOpen,
  onClose,
}: {
  id: string
  onOpen: (id: string) => void
  onClose: () => void
}) {
  const trpc = useTRPC()
  const seq = /^[1-9]\d{0,14}$/.test(id) ? Number(id) : undefined
  const event = useQuery(
    trpc.security.events.one.queryOptions(
      { seq: seq ?? 1 },
      { placeholderData: keepPreviousData, enabled: seq !== undefined },
    ),
  )
  const { data } = event
  return (
    <Drawer
      open
      onClose={onClose}
      title={data && !event.isPlaceholderData ? eventInWords(data.event) : `Event ${id}`}
      subtitle={
        data && !event.isPlaceholderData ? (
          <span className="flex flex-wrap items-center gap-x-3">
            <Time at={data.time} withZone />
            <Status kind={outcomeWords[data.outcome].kind}>{outcomeWords[data.outcome].word}</Status>
            <SeverityMark severity={data.severity} />
          </span>
        ) : null
      }
      footer={
        data ? (
          <>
            <Button disabled={data.seq <= 1} onClick={() => onOpen(String(data.seq - 1))}>
              Event before
            </Button>
            <Button onClick={() => onOpen(String(data.seq + 1))}>Event after</Button>
            <CopyButton text={jsonOf(data)} label="Copy as JSON" showLabel />
          </>
        ) : undefined
      }
    >
      {seq === undefined ? <p>Numbers of events are whole: {id} is none.</p> : null}
      {event.isPending && seq !== undefined ? (
        <Skeleton className="h-96 w-full" label="Reading the event" />
      ) : null}
      {event.isError ? (
        <ErrorTile error={event.error} what={`Event ${id}`} onRetry={() => event.refetch()} />
      ) : data ? (
        <Detail event={data} onOpen={onOpen} />
      ) : null}
    </Drawer>
  )
}

function Detail({ event, onOpen }: { event: EventDetail; onOpen: (id: string) => void }) {
  const { neighbours } = event
  return (
    <div className="flex flex-col gap-6">
      <Facts event={event} />
      {event.before === null && event.after === null ? null : (
        <Changes before={event.before} after={event.after} />
      )}
      {neighbours.session ? (
        <Around title="In the same session" event={event} of={neighbours.session} onOpen={onOpen} />
      ) : null}
      <Around title="By the same actor" event={event} of={neighbours.actor} onOpen={onOpen} />
      {neighbours.address ? (
        <Around title="From the same address" event={event} of={neighbours.address} onOpen={onOpen} />
      ) : null}
      <section>
        <h3 className="mb-2 font-medium">Place in the chain</h3>
        <KeyValue
          items={[
            { label: 'Number', value: <Mono>{event.seq}</Mono> },
            { label: 'Epoch', value: <Mono>{event.epoch}</Mono> },
            { label: 'Hash', value: <Mono>{event.hash}</Mono> },
            { label: 'Hash before', value: <Mono>{event.previousHash}</Mono> },
            { label: 'Key', value: <Mono>{event.keyId}</Mono> },
          ]}
        />
      </section>
    </div>
  )
}

function Facts({ event }: { event: EventDetail }) {
  const nameOf = useNames()
  const { actor, actorId, address, target, sessionId, source, userAgent, reason, requestId } = event
  const user = actorId ? `/security/users?user=${encodeURIComponent(actorId)}` : undefined
  const target_ = target ? hrefOf(target, nameOf(target) !== target) : undefined
  const items: (KeyValueItem | null)[] = [
    { label: 'Event', value: <Filter by={{ events: [event.event] }} value={event.event} mono /> },
    reason ? { label: 'Reason', value: reason } : null,
    {
      label: 'Actor',
      value: (
        <Linked href={user} to="User">
          <Filter by={{ actor }} value={actor} />
        </Linked>
      ),
    },
    address ? { label: 'Address', value: <Filter by={{ address }} value={address} mono /> } : null,
    target
      ? {
          label: 'Target',
          value: (
            <Linked href={target_?.href} to={target_?.label}>
              <Filter
                by={{ target }}
                value={target}
                shown={nameOf(target)}
                mono={nameOf(target) === target}
              />
            </Linked>
          ),
        }
      : null,
    {
      label: 'Source',
      value: (
        <Filter
          by={{ source: source ?? 'console' }}
          value={source ?? 'console'}
          shown={source ?? 'This console'}
        />
      ),
    },
    sessionId
      ? {
          label: 'Session',
          value: (
            <Linked
              href={actorId ? `/security/sessions?user=${encodeURIComponent(actorId)}` : undefined}
              to="Sessions"
            >
              <Filter by={{ session: sessionId }} value={sessionId} mono />
            </Linked>
          ),
        }
      : null,
    userAgent ? { label: 'User agent', value: userAgent } : null,
    requestId
      ? {
          label: 'Request id',
          value: (
            <span className="flex items-start gap-1">
              <Mono>
                <span id="event-request">{requestId}</span>
              </Mono>
              <span className="-my-1.5">
                <CopyButton text={requestId} textId="event-request" label="Copy request id" />
              </span>
            </span>
          ),
        }
      : null,
  ]
  return <KeyValue items={items.filter((item) => item !== null)} />
}

function Filter({
  by,
  value,
  shown,
  mono,
}: {
  by: EventsFilter
  value: string
  shown?: string
  mono?: boolean
}) {
  return (
    <FilterValue by={by} says={`Show only ${shown ?? value}`} mono={mono}>
      {shown ?? value}
    </FilterValue>
  )
}

function Linked({ href, to, children }: { href?: string; to?: string; children: ReactNode }) {
  return (
    <span className="flex flex-wrap items-baseline justify-between gap-x-3">
      <span className="min-w-0">{children}</span>
      {href ? (
        <Link href={href} className={clsx(plainLink, 'text-note text-muted')}>
          {to}
        </Link>
      ) : null}
    </span>
  )
}

/** Earlier above, later below, this one between them. */
function Around({
  title,
  event,
  of,
  onOpen,
}: {
  title: string
  event: EventDetail
  of: Neighbours
  onOpen: (id: string) => void
}) {
  if (of.before.length + of.after.length === 0)
    return (
      <section>
        <h3 className="font-medium">{title}</h3>
        <p className="text-muted">Nothing else.</p>
      </section>
    )
  const line = (each: Neighbours['before'][number], here = false) => (
    <li
      key={each.seq}
      aria-current={here ? 'true' : undefined}
      className={clsx('grid grid-cols-[auto_1fr_auto] gap-x-3 border-b border-border', here && 'bg-wash')}
    >
      <span className="py-1.5 text-note text-muted">
        <Time at={each.time} />
      </span>
      {here ? (
        <span className="py-1 font-medium">{eventInWords(each.event)}</span>
      ) : (
        <button
          type="button"
          className={clsx(plainLink, 'min-h-7 py-1 text-left')}
          onClick={() => onOpen(String(each.seq))}
        >
          {eventInWords(each.event)}
        </button>
      )}
      <span className="py-1">
        <Status kind={outcomeWords[each.outcome].kind}>{outcomeWords[each.outcome].word}</Status>
      </span>
    </li>
  )
  return (
    <section>
      <h3 className="mb-2 font-medium">{title}</h3>
      <ol aria-label={title} className="border-t border-border">
        {of.before.toReversed().map((each) => line(each))}
        {line(event, true)}
        {of.after.map((each) => line(each))}
      </ol>
    </section>
  )
}

function jsonOf({ neighbours: _, before, after, ...event }: EventDetail): string {
  return JSON.stringify({ ...event, before: parsed(before), after: parsed(after) }, null, 2)
}

function parsed(text: string | null): unknown {
  try {
    return text === null ? null : JSON.parse(text)
  } catch {
    return text
  }
}
