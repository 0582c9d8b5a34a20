'use client'

import { useEffect, useState } from 'react'
import { Button } from '@/components/ui/button'
import { Field, Input, Select } from '@/components/ui/field'
import { useUrlState } from '@/components/ui/url-state'
import { type Attention, attentionOrder, type TableFilter } from './choose'

const attentionWords: Record<Attention, string> = {
  vacuum: 'Due for vacuum',
  unanalysed: 'Never analysed',
  invalid: 'Invalid index',
  sequential: 'Large, read whole more often than by index',
}

/** The filter as the URL has it: `text` and `attention`. An unknown word filters nothing. */
export function useTableFilter() {
  const { params, change } = useUrlState()
  const filter: TableFilter = {
    text: params.get('text') ?? '',
    attention: attentionOrder.find((each) => each === params.get('attention')) ?? null,
  }
  const set = (next: Partial<Record<keyof TableFilter, string>>) =>
    change(Object.fromEntries(Object.entries(next).map(([name, value]) => [name, value || null])), 'replace')
  const clear = () => set({ text: '', attention: '' })
  return { filter, set, clear, any: filter.text !== '' || filter.attention !== null }
}

/** `vacuums`: whether the database is one that vacuums and counts how tables are read. */
export function FilterBar({ count, vacuums }: { count: string; vacuums: boolean }) {
  const { filter, set, clear, any } = useTableFilter()
  const [typed, setTyped] = useState(filter.text)
  // Back and "Clear" change the URL; what is being typed is already there.
  useEffect(() => setTyped(filter.text), [filter.text])
  return (
    <search className="mb-3 flex flex-wrap items-end gap-3">
      <Field label="Table or index" className="w-full sm:w-60">
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
      {vacuums ? (
        <Field label="Attention" className="w-full sm:w-60">
          <Select value={filter.attention ?? ''} onChange={({ target }) => set({ attention: target.value })}>
            <option value="">All tables</option>
            {attentionOrder.map((each) => (
              <option key={each} value={each}>
                {attentionWords[each]}
              </option>
            ))}
          </Select>
        </Field>
      ) : null}
      <p role="status" className="flex h-8 items-center text-muted">
        {count}
      </p>
      {any ? <Button onClick={clear}>Clear the filter</Button> : null}
    </search>
  )
}
