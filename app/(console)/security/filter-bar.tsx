'use client'

import { useQuery } from '@tanstack/react-query'
import clsx from 'clsx'
import { useDeferredValue, useState } from 'react'
import { eventInWords, type Outcome, outcomeWords } from '@/components/security/event-words'
import { type Severity, severityOrder, severityWords } from '@/components/security/severity-words'
import { useTRPC } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { Field, Select } from '@/components/ui/field'
import { useUrlState } from '@/components/ui/url-state'
import { CommitField } from './commit-field'
import { type EventsFilter, FILTER_NAMES, writeFilter } from './filter'

/** The fields by which events are looked for. What they say stands in the address. */
export function EventsFilterBar({ filter }: { filter: EventsFilter }) {
  const trpc = useTRPC()
  const { change } = useUrlState()
  const [unfolded, setUnfolded] = useState(false)
  const [more, setMore] = useState(Boolean(filter.target ?? filter.source ?? filter.session))
  const [actor, setActor] = useState('')
  // What is suggested is asked for once somebody begins to filter.
  const [begun, setBegun] = useState(false)
  const sought = useDeferredValue(actor.trim().slice(0, 100))
  const facets = useQuery(
    trpc.security.events.facets.queryOptions(
      { actor: sought },
      { staleTime: 60_000, placeholderData: (before) => before, enabled: begun },
    ),
  )
  const set = (next: Parameters<typeof writeFilter>[0]) => change(writeFilter(next))
  const used = FILTER_NAMES.filter((name) => filter[name] !== undefined).length
  return (
    <search aria-label="Filter of events" className="mt-6" onFocus={() => setBegun(true)}>
      <Button
        className="sm:hidden"
        aria-expanded={unfolded}
        aria-controls="events-filter"
        onClick={() => setUnfolded(!unfolded)}
      >
        {used > 0 ? `Filter (${used})` : 'Filter'}
      </Button>
      <div
        id="events-filter"
        className={clsx('flex flex-wrap items-end gap-3 max-sm:mt-3', !unfolded && 'max-sm:hidden')}
      >
        <CommitField
          label="Words"
          placeholder="anywhere in the event"
          className="w-full sm:w-52"
          value={filter.text ?? ''}
          onCommit={(text) => set({ text: text || undefined })}
        />
        <CommitField
          label="Event"
          placeholder="name, or authn_*"
          className="w-full sm:w-48"
          value=""
          keep={false}
          suggestions={suggestedEvents(facets.data?.events)}
          onCommit={(name) => {
            const events = [...new Set([...(filter.events ?? []), ...name.split(',').map(nameOf)])]
            if (name) set({ events: events.filter((each) => each !== '') })
          }}
        />
        <CommitField
          label="Actor"
          placeholder="e-mail address"
          className="w-full sm:w-48"
          value={filter.actor ?? ''}
          onType={setActor}
          suggestions={facets.data?.actors.map((value) => ({ value }))}
          onCommit={(text) => set({ actor: text || undefined })}
        />
        <CommitField
          label="Address or network"
          placeholder="10.0.0.0/8"
          className="w-full sm:w-40"
          value={filter.address ?? ''}
          onCommit={(text) => set({ address: text || undefined })}
        />
        <OutcomeChoice value={filter.outcomes} onChange={(outcomes) => set({ outcomes })} />
        <SeverityChoice value={filter.severities} onChange={(severities) => set({ severities })} />
        {more ? (
          <>
            <CommitField
              label="Target"
              placeholder="run:…, a user’s id"
              className="w-full sm:w-48"
              value={filter.target ?? ''}
              onCommit={(text) => set({ target: text || undefined })}
            />
            <Field label="Source" className="w-full sm:w-40">
              <Select
                value={filter.source ?? ''}
                onChange={({ target }) => set({ source: target.value || undefined })}
              >
                <option value="">Every source</option>
                {[
                  ...new Set([
                    'console',
                    ...(facets.data?.sources ?? []),
                    ...(filter.source ? [filter.source] : []),
                  ]),
                ].map((source) => (
                  <option key={source} value={source}>
                    {source === 'console' ? 'This console' : source}
                  </option>
                ))}
              </Select>
            </Field>
            <CommitField
              label="Session"
              className="w-full sm:w-48"
              value={filter.session ?? ''}
              onCommit={(text) => set({ session: text || undefined })}
            />
          </>
        ) : (
          <Button variant="plain" onClick={() => setMore(true)}>
            More
          </Button>
        )}
      </div>
    </search>
  )
}

const nameOf = (text: string) =>
  text
    .trim()
    .toLowerCase()
    .replaceAll(/[^a-z0-9_*]/g, '')

/** Every name that occurs, under the beginnings that several share. */
function suggestedEvents(events: readonly string[] | undefined) {
  const names = events ?? []
  const subjects = [...new Set(names.map((name) => name.split('_')[0] as string))]
  return [
    ...subjects.map((subject) => ({ value: `${subject}_*`, label: `All that begin with ${subject}` })),
    ...names.map((value) => ({ value, label: eventInWords(value) })),
  ]
}

const OUTCOMES: { key: string; label: string; outcomes: Outcome[] }[] = [
  { key: 'success', label: outcomeWords.success.word, outcomes: ['success'] },
  { key: 'failure', label: outcomeWords.failure.word, outcomes: ['failure'] },
  { key: 'denied', label: outcomeWords.denied.word, outcomes: ['denied'] },
  { key: 'failure,denied', label: 'Failure or denied', outcomes: ['failure', 'denied'] },
]

function OutcomeChoice({
  value,
  onChange,
}: {
  value: Outcome[] | undefined
  onChange: (value: Outcome[] | undefined) => void
}) {
  const key =
    sameSet(
      value,
      OUTCOMES.map(({ outcomes }) => outcomes),
    ) ?? ''
  return (
    <Field label="Outcome" className="w-full sm:w-36">
      <Select
        value={value ? key || 'own' : ''}
        onChange={({ target }) => onChange(OUTCOMES.find((each) => each.key === target.value)?.outcomes)}
      >
        <option value="">Every outcome</option>
        {OUTCOMES.map(({ key, label }) => (
          <option key={key} value={key}>
            {label}
          </option>
        ))}
        {value && !key ? <option value="own">As chosen</option> : null}
      </Select>
    </Field>
  )
}

/** Severities from one on. */
const upFrom = (least: Severity) => severityOrder.slice(severityOrder.indexOf(least))

function SeverityChoice({
  value,
  onChange,
}: {
  value: Severity[] | undefined
  onChange: (value: Severity[] | undefined) => void
}) {
  const levels = severityOrder.slice(1)
  const key = sameSet(value, levels.map(upFrom))
  const least = key?.split(',')[0] ?? ''
  return (
    <Field label="Severity" className="w-full sm:w-36">
      <Select
        value={value ? least || 'own' : ''}
        onChange={({ target }) =>
          onChange(target.value === '' ? undefined : upFrom(target.value as Severity))
        }
      >
        <option value="">Every severity</option>
        {levels.map((level) => (
          <option key={level} value={level}>
            {severityWords[level]}
            {level === 'critical' ? '' : ' or more'}
          </option>
        ))}
        {value && !least ? <option value="own">As chosen</option> : null}
      </Select>
    </Field>
  )
}

/** Which of the sets a choice is, written with commas. */
function sameSet(
  value: readonly string[] | undefined,
  sets: readonly (readonly string[])[],
): string | undefined {
  if (!value) return undefined
  return sets
    .find((set) => set.length === value.length && set.every((each) => value.includes(each)))
    ?.join(',')
}
