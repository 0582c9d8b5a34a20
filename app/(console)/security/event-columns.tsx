'use client'

import { type EventEntry, eventInWords, outcomeWords } from '@/components/security/event-words'
import { SeverityMark } from '@/components/security/severity-mark'
import { Status } from '@/components/ui/status'
import type { Column } from '@/components/ui/table'
import { Time } from '@/components/ui/time'
import { FilterValue } from './filter-value'

const NOTHING = <span className="text-muted">none</span>

/** @param nameOf who or what a target's id stands for, where that is known */
export function eventColumns(zone: string, nameOf: (target: string) => string): Column<EventEntry>[] {
  return [
    {
      key: 'time',
      header: `Time (${zone})`,
      cell: ({ time }) => (
        <>
          <span className="block leading-4">
            <Time at={time} only="time" />
          </span>
          <span className="block text-note leading-4 text-muted">
            <Time at={time} only="date" />
          </span>
        </>
      ),
    },
    {
      key: 'event',
      header: 'Event',
      rowHeader: true,
      className: 'min-w-48',
      cell: ({ event, source }) => (
        <>
          <span className="block leading-4 font-medium">{eventInWords(event)}</span>
          {/* A box of its own takes no underline of the row's. */}
          <span className="inline-block font-mono text-note leading-4 text-muted">
            {event}
            {source ? ` · ${source}` : null}
          </span>
        </>
      ),
    },
    {
      key: 'severity',
      header: 'Severity',
      cell: ({ severity }) => <SeverityMark severity={severity} />,
    },
    {
      key: 'outcome',
      header: 'Outcome',
      className: 'min-w-32',
      cell: ({ outcome, reason }) => (
        <>
          <span className="block leading-4">
            <Status kind={outcomeWords[outcome].kind}>{outcomeWords[outcome].word}</Status>
          </span>
          {reason ? (
            <span className="line-clamp-1 text-note leading-4 text-muted wrap-anywhere" title={reason}>
              {reason}
            </span>
          ) : null}
        </>
      ),
    },
    {
      key: 'actor',
      header: 'Actor',
      className: 'max-w-56',
      cell: ({ actor }) => (
        <FilterValue inRow by={{ actor }} says={`Only ${actor}`}>
          {actor}
        </FilterValue>
      ),
    },
    {
      key: 'address',
      header: 'Address',
      className: 'max-w-44',
      cell: ({ address }) =>
        address ? (
          <FilterValue inRow mono by={{ address }} says={`Only from ${address}`}>
            {address}
          </FilterValue>
        ) : (
          NOTHING
        ),
    },
    {
      key: 'target',
      header: 'Target',
      className: 'max-w-52',
      cell: ({ target }) =>
        target ? (
          <FilterValue inRow by={{ target }} says={`Only on ${target}`}>
            {nameOf(target)}
          </FilterValue>
        ) : (
          NOTHING
        ),
    },
  ]
}
