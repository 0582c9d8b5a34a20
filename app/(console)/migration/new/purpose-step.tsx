'use client'

import type { RunSummary } from '@/components/migration/types'
import { RadioGroup } from '@/components/ui/field'
import { Section } from '@/components/ui/text'

export type Purpose = RunSummary['purpose']

/** Whether the rows are moved, or both sides only compared. */
export function PurposeStep({
  value,
  own,
  onChange,
}: {
  value: Purpose
  own: boolean
  onChange: (purpose: Purpose) => void
}) {
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
    </Section>
  )
}
