'use client'

import type { Choices, PlannedTable } from '@/components/migration/types'
import { Button } from '@/components/ui/button'
import { Checkbox, Field, Input } from '@/components/ui/field'
import { Mono } from '@/components/ui/text'
import { excludedOf, tableChoice, withColumn, withTable } from './choices'
import { ColumnEditor } from './column-editor'

interface Props {
  table: PlannedTable
  choices: Choices
  onChange: (next: Choices) => void
}

/** What an admin wants other than proposed for one table: its name, its columns, or not at all. */
export function TableEditor({ table, choices, onChange }: Props) {
  const { source, target, columns } = table
  const choice = tableChoice(choices, source)
  const out = excludedOf(choice.columns).filter((name) => columns.every((column) => column.source !== name))
  return (
    <div className="mb-6 flex flex-col gap-4">
      <Field label="Name in PostgreSQL">
        <Input
          spellCheck={false}
          autoCapitalize="off"
          autoComplete="off"
          className="font-mono"
          maxLength={63}
          disabled={choice.exclude}
          value={choice.target ?? target}
          onChange={({ target: { value } }) =>
            onChange(withTable(choices, source, { target: value === '' ? undefined : value }))
          }
        />
      </Field>
      <Checkbox
        label="Leave this table out"
        hint="Foreign keys to it are left out, too."
        checked={choice.exclude ?? false}
        onChange={({ target: { checked } }) =>
          onChange(withTable(choices, source, { exclude: checked || undefined }))
        }
      />
      {choice.exclude
        ? null
        : columns.map((column) => (
            <ColumnEditor
              key={column.source}
              table={source}
              column={column}
              choices={choices}
              onChange={onChange}
            />
          ))}
      {out.map((name) => (
        <p key={name} className="flex items-center justify-between gap-3 border-t border-border py-2">
          <span>
            <Mono>{name}</Mono> is left out
          </span>
          <Button
            size="small"
            aria-label={`Take ${name} back in`}
            onClick={() => onChange(withColumn(choices, source, name, { exclude: undefined }))}
          >
            Take back in
          </Button>
        </p>
      ))}
    </div>
  )
}
