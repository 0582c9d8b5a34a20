'use client'

import { type FormEvent, useEffect, useState } from 'react'
import { Button } from '@/components/ui/button'
import { Field, Input, Select } from '@/components/ui/field'
import { crumbsOf, type Place } from './place'
import type { usePlace } from './use-place'

type Ways = Omit<ReturnType<typeof usePlace>, 'place'>

/** Whose keys, the folders above, and the filter. */
export function PlaceBar({ place, own, ways }: { place: Place; own: string; ways: Ways }) {
  return (
    <search className="mb-3 flex flex-wrap items-end gap-3">
      <Field label="Keys of" className="w-52">
        <Select
          value={place.scope}
          onChange={({ target }) => ways.show(target.value === 'all' ? 'all' : 'ours')}
        >
          <option value="ours">This cache</option>
          <option value="all">Everything in Redis</option>
        </Select>
      </Field>
      <Filter match={place.match} inFolder={place.prefix !== ''} onFilter={ways.filter} />
      <Crumbs place={place} own={own} onOpen={ways.open} />
    </search>
  )
}

function Filter({
  match,
  inFolder,
  onFilter,
}: {
  match: string
  inFolder: boolean
  onFilter: (match: string) => void
}) {
  const [typed, setTyped] = useState(match)
  // Back and a folder change the address.
  useEffect(() => setTyped(match), [match])
  const submit = (event: FormEvent) => {
    event.preventDefault()
    onFilter(typed)
  }
  return (
    <form method="post" onSubmit={submit} className="flex w-full flex-wrap items-end gap-2 sm:w-auto">
      <Field
        label="Filter"
        aside={inFolder ? '* for anything, in this folder' : '* for anything'}
        className="w-full sm:w-72"
      >
        <Input
          type="search"
          name="match"
          className="font-mono"
          placeholder="*name*"
          spellCheck={false}
          autoComplete="off"
          autoCapitalize="off"
          value={typed}
          onChange={({ target }) => {
            setTyped(target.value)
            // The cross in the field empties it without a submit.
            if (target.value === '' && match !== '') onFilter('')
          }}
        />
      </Field>
      <Button type="submit">Filter</Button>
      {match ? <Button onClick={() => onFilter('')}>Clear the filter</Button> : null}
    </form>
  )
}

function Crumbs({ place, own, onOpen }: { place: Place; own: string; onOpen: (prefix: string) => void }) {
  const top = place.scope === 'ours' ? 'This cache' : 'All keys'
  const crumbs = [{ name: top, prefix: '' }, ...crumbsOf(place, own)]
  return (
    <nav aria-label="Folders" className="w-full">
      <ol className="flex flex-wrap items-center">
        {crumbs.map(({ name, prefix }, at) => {
          const here = at === crumbs.length - 1
          return (
            <li key={prefix} className="flex min-w-0 items-center">
              {at > 0 ? (
                <span aria-hidden="true" className="px-1 text-muted">
                  :
                </span>
              ) : null}
              <button
                type="button"
                aria-current={here ? 'location' : undefined}
                className={`min-h-6 min-w-6 text-left wrap-anywhere ${at > 0 ? 'font-mono' : ''} ${
                  here
                    ? 'font-medium'
                    : 'underline decoration-border underline-offset-4 hover:decoration-current'
                }`}
                onClick={() => onOpen(prefix)}
              >
                {name || '(empty)'}
              </button>
            </li>
          )
        })}
      </ol>
    </nav>
  )
}
