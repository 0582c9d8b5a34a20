'use client'

import type { RunSummary, SourceRef } from '@/components/migration/types'
import { Checkbox, RadioGroup } from '@/components/ui/field'
import { Section } from '@/components/ui/text'

export type Purpose = RunSummary['purpose']

/** Whether the rows are moved, or both sides only compared. */
export function PurposeStep({
  value,
  source,
  onChange,
  capture,
  onCapture,
}: {
  value: Purpose
  source: SourceRef['kind'] | undefined
  onChange: (purpose: Purpose) => void
  capture: boolean
  onCapture: (capture: boolean) => void
}) {
  const own = source === 'store'
  return (
    <Section title="Purpose">
      <RadioGroup
        legend={<span className="sr-only">Purpose</span>}
        name="purpose"
        value={value}
        onChange={onChange}
        options={[
          {
            value: 'migrate',
            label: 'Move the tables',
            hint: 'They are made in the schema, filled, and every row is compared.',
          },
          {
            value: 'compare',
            label: 'Only compare',
            hint: own
              ? 'The console’s own store is compared when it is moved.'
              : 'Something else has filled the schema already: every row of both sides is compared, nothing is written.',
            disabled: own,
          },
        ]}
      />
      {source === 'folder' && value === 'migrate' ? (
        <Checkbox
          className="mt-2"
          label="Note writes while the copy goes on"
          hint="For a file that an application writes to: triggers note the keys, and what was written is brought over until you cut over. They are removed afterwards."
          checked={capture}
          onChange={({ target }) => onCapture(target.checked)}
        />
      ) : null}
    </Section>
  )
}
