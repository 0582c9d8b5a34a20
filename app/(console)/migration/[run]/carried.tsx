'use client'

import type { Plan } from '@/components/migration/types'
import { formatCount } from '@/components/ui/format'
import { type Column, Table } from '@/components/ui/table'
import { Mono, Section } from '@/components/ui/text'
import { withLeftOut } from './choices'
import type { Draft } from './use-choices'

interface Item {
  kind: 'view' | 'trigger'
  name: string
  sql?: string
  targetSql?: string
}

/** Views and triggers that mean the same in PostgreSQL, as written on both sides; each can be left out. */
export function Carried({ plan, draft }: { plan: Plan; draft: Draft | null }) {
  const items: Item[] = [
    ...(plan.views ?? []).map((view) => ({ ...view, kind: 'view' as const })),
    ...(plan.triggers ?? []).map((trigger) => ({ ...trigger, kind: 'trigger' as const })),
  ]
  if (items.length === 0) return null
  return (
    <Section title="Views and triggers" note={`${formatCount(items.length, 'item')} carried over`}>
      <Table
        caption="Views and triggers that are carried over"
        columns={draft ? [...columns, leaveOut(draft)] : columns}
        rows={items}
        rowKey={({ kind, name }) => `${kind} ${name}`}
      />
    </Section>
  )
}

const columns: Column<Item>[] = [
  { key: 'name', header: 'Name', rowHeader: true, cell: ({ name }) => <Mono>{name}</Mono> },
  { key: 'kind', header: 'Kind', cell: ({ kind }) => kind },
  { key: 'sql', header: 'SQLite', cell: ({ sql }) => <Mono className="text-muted">{sql}</Mono> },
  { key: 'target', header: 'PostgreSQL', cell: ({ targetSql }) => <Mono>{targetSql}</Mono> },
]

const leaveOut = (draft: Draft): Column<Item> => ({
  key: 'leave',
  header: 'Leave out',
  cell: ({ name }) => (
    <span className="inline-flex size-6 items-center">
      <input
        type="checkbox"
        className="size-4 accent-accent"
        aria-label={`Leave ${name} out`}
        checked={draft.choices.leaveOut?.includes(name) ?? false}
        onChange={({ target }) => draft.change(withLeftOut(draft.choices, name, target.checked))}
      />
    </span>
  ),
})
