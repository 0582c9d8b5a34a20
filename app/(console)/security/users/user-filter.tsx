'use client'

import { useEffect, useState } from 'react'
import { roleOrder, roleWords, stateWords, type User } from '@/components/security/words'
import { Button } from '@/components/ui/button'
import { Field, Input, Select } from '@/components/ui/field'
import { useUrlState } from '@/components/ui/url-state'
import type { UserFilter } from './choose'

const states = Object.keys(stateWords) as User['state'][]

/** The filter as the URL has it: `text`, `role`, `state`. An unknown word filters nothing. */
export function useUserFilter() {
  const { params, change } = useUrlState()
  const filter: UserFilter = {
    text: params.get('text') ?? '',
    role: roleOrder.find((role) => role === params.get('role')) ?? null,
    state: states.find((state) => state === params.get('state')) ?? null,
  }
  const set = (next: Partial<Record<keyof UserFilter, string>>) =>
    change(Object.fromEntries(Object.entries(next).map(([name, value]) => [name, value || null])), 'replace')
  const clear = () => set({ text: '', role: '', state: '' })
  return { filter, set, clear, any: filter.text !== '' || filter.role !== null || filter.state !== null }
}

export function FilterBar({ count }: { count: string }) {
  const { filter, set, clear, any } = useUserFilter()
  const [typed, setTyped] = useState(filter.text)
  // Back and "Clear" change the URL; what is being typed is already there.
  useEffect(() => setTyped(filter.text), [filter.text])
  return (
    <search className="mb-3 flex flex-wrap items-end gap-3">
      <Field label="Name or e-mail" className="w-full sm:w-60">
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
      <Field label="Role" className="w-32">
        <Select value={filter.role ?? ''} onChange={({ target }) => set({ role: target.value })}>
          <option value="">All roles</option>
          {roleOrder.map((role) => (
            <option key={role} value={role}>
              {roleWords[role].name}
            </option>
          ))}
        </Select>
      </Field>
      <Field label="State" className="w-32">
        <Select value={filter.state ?? ''} onChange={({ target }) => set({ state: target.value })}>
          <option value="">All states</option>
          {states.map((state) => (
            <option key={state} value={state}>
              {stateWords[state].word}
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
