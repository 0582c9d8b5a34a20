'use client'

import type { Plan } from '@/components/migration/types'
import { Button } from '@/components/ui/button'
import { Field, Input } from '@/components/ui/field'
import { Mono } from '@/components/ui/text'
import { excludedOf, withLeftOut, withTable } from './choices'
import type { Draft } from './use-choices'

/** What is left out by choice is in no plan: here it is taken back in. */
export function LeftOut({ plan, draft }: { plan: Plan; draft: Draft }) {
  const { choices, change } = draft
  const tables = excludedOf(choices.tables)
  const names = [...tables, ...(choices.leaveOut ?? [])]
  if (names.length === 0) return null
  const planned = new Set(
    [
      plan.tables.map(({ source }) => source),
      (plan.views ?? []).map(({ name }) => name),
      (plan.triggers ?? []).map(({ name }) => name),
    ].flat(),
  )
  const takeBack = (name: string) =>
    change(
      tables.includes(name)
        ? withTable(choices, name, { exclude: undefined })
        : withLeftOut(choices, name, false),
    )
  return (
    <ul aria-label="Left out by choice">
      {names.map((name) => (
        <li key={name} className="flex items-center justify-between gap-3 border-b border-border px-2 py-1.5">
          <span>
            <Mono>{name}</Mono> {planned.has(name) ? 'will be left out' : 'is left out'}
          </span>
          <Button size="small" aria-label={`Take ${name} back in`} onClick={() => takeBack(name)}>
            Take back in
          </Button>
        </li>
      ))}
    </ul>
  )
}

const DEFAULTS = { perTable: 1_000, perRun: 10_000 }

/** How many rows may be rejected before the run stops. */
export function RejectLimits({ draft: { choices, change } }: { draft: Draft }) {
  const limits = choices.rejects ?? DEFAULTS
  const set = (part: keyof typeof DEFAULTS) => (value: string) => {
    const most = Number(value)
    if (Number.isInteger(most) && most >= 0) change({ ...choices, rejects: { ...limits, [part]: most } })
  }
  return (
    <fieldset className="mt-4 flex flex-wrap gap-4">
      <legend className="mb-1 text-muted">
        Rows that can’t be stored are set aside; the run stops when there are more than
      </legend>
      <LimitField label="of a table" value={limits.perTable} onChange={set('perTable')} />
      <LimitField label="of the run" value={limits.perRun} onChange={set('perRun')} />
    </fieldset>
  )
}

function LimitField({
  label,
  value,
  onChange,
}: {
  label: string
  value: number
  onChange: (value: string) => void
}) {
  return (
    <Field className="w-32" label={label}>
      <Input
        type="number"
        min={0}
        max={1_000_000}
        inputMode="numeric"
        value={value}
        onChange={({ target }) => onChange(target.value)}
      />
    </Field>
  )
}
