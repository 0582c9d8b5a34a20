'use client'

import type { Plan } from '@/components/migration/types'
import { Checkbox } from '@/components/ui/field'
import { formatCount } from '@/components/ui/format'
import { Table } from '@/components/ui/table'
import { Mono, Section } from '@/components/ui/text'
import { tableChoice, withTable } from './choices'
import type { Draft } from './use-choices'

/** What stays behind is said before the start, never dropped in silence. */
export function NotCarried({ items, draft }: { items: Plan['notCarried']; draft: Draft | null }) {
  const carried = (name: string) => draft !== null && tableChoice(draft.choices, name).plain === true
  if (items.length === 0) return null
  return (
    <Section title="Not carried over" note={formatCount(items.length, 'item')}>
      <Table
        caption="Not carried over"
        columns={[
          { key: 'name', header: 'Name', rowHeader: true, cell: ({ name }) => <Mono>{name}</Mono> },
          { key: 'kind', header: 'Kind', cell: ({ kind }) => kind },
          {
            key: 'reason',
            header: 'Why',
            cell: ({ kind, name, reason }) => (
              <span className="whitespace-normal">
                {reason}
                {draft && kind === 'virtual table' ? (
                  <Checkbox
                    label="Carry its rows in a plain table"
                    aria-label={`Carry the rows of ${name} in a plain table`}
                    checked={carried(name)}
                    onChange={({ target }) =>
                      draft.change(withTable(draft.choices, name, { plain: target.checked || undefined }))
                    }
                  />
                ) : null}
              </span>
            ),
          },
          {
            key: 'sql',
            header: 'SQL',
            cell: ({ sql }) =>
              sql ? <Mono className="text-muted">{sql}</Mono> : <span className="text-muted">none</span>,
          },
        ]}
        rows={items}
        rowKey={({ kind, name }) => `${kind} ${name}`}
      />
    </Section>
  )
}
