'use client'

import type { Plan } from '@/components/migration/types'
import { formatCount } from '@/components/ui/format'
import { Table } from '@/components/ui/table'
import { Mono, Section } from '@/components/ui/text'

/** What stays behind is said before the start, never dropped in silence. */
export function NotCarried({ items }: { items: Plan['notCarried'] }) {
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
            cell: ({ reason }) => <span className="whitespace-normal">{reason}</span>,
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
