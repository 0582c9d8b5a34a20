'use client'

import { useEffect, useState } from 'react'
import { Button } from '@/components/ui/button'
import { Field, Input, Select } from '@/components/ui/field'
import { useUrlState } from '@/components/ui/url-state'
import { kindOrder, type StatementFilter, type StatementKind } from './choose'

const kindWords: Record<StatementKind, string> = { read: 'Reads', write: 'Writes', other: 'Others' }

/** The filter as the URL has it: `text` and `kind`. An unknown word filters nothing. */
export function useStatementFilter() {
  const { params, change } = useUrlState()
  const filter: StatementFilter = {
    text: params.get('text') ?? '',
    kind: kindOrder.find((kind) => kind === params.get('kind')) ?? null,
  }
  const set = (next: Partial<Record<keyof StatementFilter, string>>) =>
    change(Object.fromEntries(Object.entries(next).map(([name, value]) => [name, value || null])), 'replace')
  const clear = () => set({ text: '', kind: '' })
  return { filter, set, clear, any: filter.text !== '' || filter.kind !== null }
}

export function FilterBar({ count }: { count: string }) {
  const { filter, set, clear, any } = useStatementFilter()
  const [typed, setTyped] = useState(filter.text)
  // Back and "Clear" change the URL; what is being typed is already there.
  useEffect(() => setTyped(filter.text), [filter.text])
  return (
    <search className="mb-3 flex flex-wrap items-end gap-3">
      <Field label="Text of the statement" className="w-full sm:w-72">
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
      <Field label="Kind" className="w-40">
        <Select value={filter.kind ?? ''} onChange={({ target }) => set({ kind: target.value })}>
          <option value="">All statements</option>
          {kindOrder.map((kind) => (
            <option key={kind} value={kind}>
              {kindWords[kind]}
            </option>
          ))}
        </Select>
      </Field>
      <p role="status" className="flex h-8 items-center text-muted">
        {count}
      </p>
      {any ? <Button onClick={clear}>Clear the filter</Button> : null}
    </search>
  )
}
