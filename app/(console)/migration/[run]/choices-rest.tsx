'use client'

import type { Plan } from '@/components/migration/types'
import { Button } from '@/components/ui/button'
import { Field, Input } from '@/components/ui/field'
import { Mono } from '@/components/ui/text'
import { excludedOf, withTable } from './choices'
import type { Draft } from './use-choices'

/** Tables that are left out by choice are in no plan: here they are taken back in. */
export function LeftOutTables({ plan, draft }: { plan: Plan; draft: Draft }) {
  const names = excludedOf(draft.choices.tables)
  if (names.length === 0) return null
  const planned = new Set(plan.tables.map(({ source }) => source))
  return (
    <ul aria-label="Tables that are left out by choice">
      {names.map((name) => (
        <li key={name} className="flex items-center justify-between gap-3 border-b border-border px-2 py-1.5">
          <span>
            <Mono>{name}</Mono> {planned.has(name) ? 'will be left out' : 'is left out'}
          </span>
          <Button
            size="small"
            aria-label={`Take ${name} back in`}
            onClick={() => draft.change(withTable(draft.choices, name, { exclude: undefined }))}
          >
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
