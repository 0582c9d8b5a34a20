'use client'

import type { Choices, PlannedTable } from '@/components/migration/types'
import { Checkbox, Field, Input, Select } from '@/components/ui/field'
import { formatCount, formatNumber } from '@/components/ui/format'
import { Mono } from '@/components/ui/text'
import { columnChoice, withColumn } from './choices'
import { shown } from './table-detail'

type Column = PlannedTable['columns'][number]
type Nulls = NonNullable<ReturnType<typeof columnChoice>['nulls']>

/** Type, name and NULL policy of one column, with what each choice would reject. */
export function ColumnEditor({
  table,
  column,
  choices,
  onChange,
}: {
  table: string
  column: Column
  choices: Choices
  onChange: (next: Choices) => void
}) {
  const { source, target, declaredType, samples = [], options = [], evidence } = column
  const choice = columnChoice(choices, table, source)
  const change = (next: typeof choice) => onChange(withColumn(choices, table, source, next))
  const type = choice.type ?? column.type
  const option = options.find((each) => each.type === type)
  return (
    <fieldset className="border-t border-border pt-3">
      <legend className="sr-only">Column {source}</legend>
      <p className="mb-2">
        <Mono className="font-medium">{source}</Mono>{' '}
        <span className="text-muted">
          {declaredType || 'no type'}, {formatNumber(evidence.rows - evidence.nulls)} values
          {evidence.nulls > 0 ? `, ${formatNumber(evidence.nulls)} NULL` : ''}
        </span>
        {samples.length > 0 ? (
          <span className="block text-note text-muted">
            <Mono>{shown(samples)}</Mono>
          </span>
        ) : null}
      </p>
      {choice.exclude ? null : (
        <div className="grid gap-3 sm:grid-cols-2">
          <Field
            label="Type"
            hint={
              option && option.refused > 0
                ? `${formatCount(option.refused, 'row')} would be rejected: ${shown(option.misfits)}`
                : option?.note
            }
          >
            <Select
              value={type}
              disabled={options.length < 2}
              onChange={({ target: { value } }) =>
                change({ type: value === options[0]?.type ? undefined : value })
              }
            >
              {options.length === 0 ? <option>{column.type}</option> : null}
              {options.map((each) => (
                <option key={each.type} value={each.type}>
                  {each.type}
                  {each.refused > 0 ? ` (${formatNumber(each.refused)} rejected)` : ''}
                </option>
              ))}
            </Select>
          </Field>
          <Field label="Name">
            <Input
              spellCheck={false}
              autoCapitalize="off"
              autoComplete="off"
              className="font-mono"
              maxLength={63}
              value={choice.target ?? target}
              onChange={({ target: { value } }) => change({ target: value === '' ? undefined : value })}
            />
          </Field>
          <Field label="NULL">
            <Select
              value={choice.nulls ?? 'keep'}
              onChange={({ target: { value } }) =>
                change({ nulls: value === 'keep' ? undefined : (value as Nulls) })
              }
            >
              <option value="keep">{column.nullable ? 'allowed' : 'as in the source'}</option>
              <option value="reject">
                NOT NULL{evidence.nulls > 0 ? ` (${formatNumber(evidence.nulls)} rejected)` : ''}
              </option>
              {column.default === undefined ? null : (
                <option value="default">NOT NULL, NULL becomes the default</option>
              )}
            </Select>
          </Field>
        </div>
      )}
      <Checkbox
        className="mt-1"
        label="Leave this column out"
        checked={choice.exclude ?? false}
        onChange={({ target: { checked } }) => change({ exclude: checked || undefined })}
      />
    </fieldset>
  )
}
