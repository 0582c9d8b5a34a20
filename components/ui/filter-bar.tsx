'use client'

import { type ReactNode, useEffect, useState } from 'react'
import { Button } from './button'
import { Field, Input, Select } from './field'
import { useUrlState } from './url-state'

/**
 * A filter as the URL has it, one parameter for each of its fields. `read` makes it of the parameters; an unknown
 * word filters nothing. What is empty, null or false is not set.
 */
export function useUrlFilter<Filter extends object>(read: (params: Pick<URLSearchParams, 'get'>) => Filter) {
  const { params, change } = useUrlState()
  const filter = read(params)
  const set = (next: Partial<Record<keyof Filter, string>>) =>
    change(
      Object.fromEntries(
        Object.entries<string | undefined>(next).map(([name, value]) => [name, value || null]),
      ),
      'replace',
    )
  const clear = () => change(Object.fromEntries(Object.keys(filter).map((name) => [name, null])), 'replace')
  return { filter, set, clear, any: Object.values(filter).some(Boolean) }
}

export type FilterBarProps = {
  /** The fields. */
  children: ReactNode
  /** How many pass, in words. */
  count: string
  /** Whether anything is filtered. */
  any: boolean
  onClear: () => void
  /** Stands at the end. */
  note?: ReactNode
}

export function FilterBar({ children, count, any, onClear, note }: FilterBarProps) {
  return (
    <search className="mb-3 flex flex-wrap items-end gap-3">
      {children}
      <p role="status" className="flex h-8 items-center text-muted">
        {count}
      </p>
      {any ? <Button onClick={onClear}>Clear the filter</Button> : null}
      {note}
    </search>
  )
}

export type FilterTextProps = {
  label: string
  value: string
  onChange: (text: string) => void
  className: string
}

export function FilterText({ label, value, onChange, className }: FilterTextProps) {
  const [typed, setTyped] = useState(value)
  // Back and "Clear" change the URL; what is being typed is already there.
  useEffect(() => setTyped(value), [value])
  return (
    <Field label={label} className={className}>
      <Input
        type="search"
        spellCheck={false}
        autoComplete="off"
        value={typed}
        onChange={({ target }) => {
          setTyped(target.value)
          onChange(target.value)
        }}
      />
    </Field>
  )
}

export type FilterChoiceProps<Word extends string> = {
  label: string
  value: Word | null
  /** What the choice of everything is called. */
  all: string
  words: readonly Word[]
  nameOf: (word: Word) => string
  onChange: (word: string) => void
  className: string
}

export function FilterChoice<Word extends string>(props: FilterChoiceProps<Word>) {
  const { label, value, all, words, nameOf, onChange, className } = props
  return (
    <Field label={label} className={className}>
      <Select value={value ?? ''} onChange={({ target }) => onChange(target.value)}>
        <option value="">{all}</option>
        {words.map((word) => (
          <option key={word} value={word}>
            {nameOf(word)}
          </option>
        ))}
      </Select>
    </Field>
  )
}
