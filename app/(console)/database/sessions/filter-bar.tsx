'use client'

import { Checkbox } from '@/components/ui/field'
import { FilterBar, FilterChoice, FilterText, useUrlFilter } from '@/components/ui/filter-bar'
import { type SessionFilter, type StateChoice, stateOrder } from './choose'

const stateWords: Record<StateChoice, string> = {
  active: 'Active',
  transaction: 'Idle in a transaction',
  idle: 'Idle',
  other: 'Other',
}

export const useSessionFilter = () =>
  useUrlFilter<SessionFilter>((params) => ({
    text: params.get('text') ?? '',
    state: stateOrder.find((state) => state === params.get('state')) ?? null,
    blocked: params.get('blocked') === '1',
  }))

export function SessionFilterBar({ count, held }: { count: string; held: boolean }) {
  const { filter, set, clear, any } = useSessionFilter()
  const note = (
    <p
      className="flex h-8 items-center text-note text-muted sm:ml-auto"
      aria-hidden={held ? undefined : true}
    >
      {held ? 'Stands still while you are on it' : ''}
    </p>
  )
  return (
    <FilterBar count={count} any={any} onClear={clear} note={note}>
      <FilterText
        label="Text in any column"
        value={filter.text}
        onChange={(text) => set({ text })}
        className="w-full sm:w-72"
      />
      <FilterChoice
        label="State"
        value={filter.state}
        all="All sessions"
        words={stateOrder}
        nameOf={(state) => stateWords[state]}
        onChange={(state) => set({ state })}
        className="w-48"
      />
      <div className="flex h-8 items-center">
        <Checkbox
          label="Only who waits or is waited for"
          checked={filter.blocked}
          onChange={({ target }) => set({ blocked: target.checked ? '1' : '' })}
        />
      </div>
    </FilterBar>
  )
}
