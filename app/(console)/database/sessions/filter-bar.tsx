'use client'

import { useEffect, useState } from 'react'
import { Button } from '@/components/ui/button'
import { Checkbox, Field, Input, Select } from '@/components/ui/field'
import { useUrlState } from '@/components/ui/url-state'
import { type SessionFilter, type StateChoice, stateOrder } from './choose'

const stateWords: Record<StateChoice, string> = {
  active: 'Active',
  transaction: 'Idle in a transaction',
  idle: 'Idle',
  other: 'Other',
}

/** The filter as the URL has it: `text`, `state`, `blocked=1`. An unknown word filters nothing. */
export function useSessionFilter() {
  const { params, change } = useUrlState()
  const filter: SessionFilter = {
    text: params.get('text') ?? '',
    state: stateOrder.find((state) => state === params.get('state')) ?? null,
    blocked: params.get('blocked') === '1',
  }
  const set = (next: { text?: string; state?: string; blocked?: string }) =>
    change(Object.fromEntries(Object.entries(next).map(([name, value]) => [name, value || null])), 'replace')
  const clear = () => set({ text: '', state: '', blocked: '' })
  return { filter, set, clear, any: filter.text !== '' || filter.state !== null || filter.blocked }
}

export function FilterBar({ count, held }: { count: string; held: boolean }) {
  const { filter, set, clear, any } = useSessionFilter()
  const [typed, setTyped] = useState(filter.text)
  // Back and "Clear" change the URL; what is being typed is already there.
  useEffect(() => setTyped(filter.text), [filter.text])
  return (
    <search className="mb-3 flex flex-wrap items-end gap-3">
      <Field label="Text in any column" className="w-full sm:w-72">
        <Input
          type="search"
          spellCheck={false}
          autoComplete="off"
          value={typed}
          onChange={({ target }) => {
            setTyped(target.value)
            set({ text: target.value })
          }}
        />
      </Field>
      <Field label="State" className="w-48">
        <Select value={filter.state ?? ''} onChange={({ target }) => set({ state: target.value })}>
          <option value="">All sessions</option>
          {stateOrder.map((state) => (
            <option key={state} value={state}>
              {stateWords[state]}
            </option>
          ))}
        </Select>
      </Field>
      <div className="flex h-8 items-center">
        <Checkbox
          label="Only who waits or is waited for"
          checked={filter.blocked}
          onChange={({ target }) => set({ blocked: target.checked ? '1' : '' })}
        />
      </div>
      <p role="status" className="flex h-8 items-center text-muted">
        {count}
      </p>
      {any ? <Button onClick={clear}>Clear the filter</Button> : null}
      <p
        className="flex h-8 items-center text-note text-muted sm:ml-auto"
        aria-hidden={held ? undefined : true}
      >
        {held ? 'Stands still while you are on it' : ''}
      </p>
    </search>
  )
}
