'use client'

import { eventInWords, outcomeWords } from '@/components/security/event-words'
import { severityWords } from '@/components/security/severity-words'
import { useTimeRange } from '@/components/shell/time-range'
import { Button } from '@/components/ui/button'
import { CloseIcon } from '@/components/ui/icons'
import { useUrlState } from '@/components/ui/url-state'
import { type EventsFilter, FILTER_NAMES, NO_FILTER, writeFilter } from './filter'

interface Chip {
  key: string
  name: string
  value: string
  without: Parameters<typeof writeFilter>[0]
}

/** What is filtered, each part of it to be taken away by itself; and how many events that leaves. */
export function Chips({
  filter,
  count,
  nameOf,
}: {
  filter: EventsFilter
  count: string
  nameOf: (target: string) => string
}) {
  const { change } = useUrlState()
  const { window, label, brush } = useTimeRange()
  const chips = chipsOf(filter, nameOf)
  return (
    <div className="mt-3 mb-3 flex min-h-8 flex-wrap items-center gap-2">
      <p role="status" className="mr-2 font-medium tabular-nums">
        {count}
      </p>
      <ul aria-label="Filtered by" className="contents">
        {window ? <ChipItem name="Time" value={label} onRemove={() => brush(null)} /> : null}
        {chips.map(({ key, name, value, without }) => (
          <ChipItem key={key} name={name} value={value} onRemove={() => change(writeFilter(without))} />
        ))}
      </ul>
      {chips.length > 1 ? (
        <Button variant="plain" size="small" onClick={() => change(NO_FILTER)}>
          Clear the filter
        </Button>
      ) : null}
    </div>
  )
}

function ChipItem({ name, value, onRemove }: { name: string; value: string; onRemove: () => void }) {
  return (
    <li className="flex max-w-full min-w-0 items-center rounded-control border border-control bg-surface">
      <span className="min-w-0 truncate py-0.5 pl-2" title={value}>
        <span className="text-muted">{name}</span> {value}
      </span>
      <button
        type="button"
        aria-label={`Remove ${name} ${value}`}
        className="grid size-6 shrink-0 place-items-center rounded-control text-muted hover:bg-wash hover:text-text"
        onClick={onRemove}
      >
        <CloseIcon className="size-3" />
      </button>
    </li>
  )
}

const titles = {
  text: 'Words',
  events: 'Event',
  actor: 'Actor',
  address: 'Address',
  outcomes: 'Outcome',
  severities: 'Severity',
  target: 'Target',
  source: 'Source',
  session: 'Session',
}

function chipsOf(filter: EventsFilter, nameOf: (target: string) => string): Chip[] {
  return FILTER_NAMES.flatMap((name): Chip[] => {
    const value = filter[name]
    if (value === undefined) return []
    if (!Array.isArray(value))
      return [
        {
          key: name,
          name: titles[name],
          value: name === 'target' ? nameOf(value) : value,
          without: { [name]: undefined },
        },
      ]
    return value.map((each) => ({
      key: `${name}:${each}`,
      name: titles[name],
      value: inWords(name, each),
      without: { [name]: (value as string[]).filter((other) => other !== each) },
    }))
  })
}

function inWords(name: string, value: string): string {
  if (name === 'outcomes') return outcomeWords[value as keyof typeof outcomeWords].word
  if (name === 'severities') return severityWords[value as keyof typeof severityWords]
  return value.endsWith('*') ? value : eventInWords(value)
}
