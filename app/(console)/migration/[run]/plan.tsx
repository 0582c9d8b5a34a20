'use client'

import type { Plan, Run } from '@/components/migration/types'
import { Drawer } from '@/components/ui/drawer'
import { formatCount, formatNumber } from '@/components/ui/format'
import { Table } from '@/components/ui/table'
import { Mono, Section } from '@/components/ui/text'
import { useDrawer } from '@/components/ui/url-state'
import { Carried } from './carried'
import { ChoicesBar } from './choices-bar'
import { LeftOut, RejectLimits } from './choices-rest'
import { NotCarried } from './not-carried'
import { keyOf, TableDetail } from './table-detail'
import { TableEditor } from './table-editor'
import type { Draft } from './use-choices'

/** Tables, types, keys and indexes as they will be or were made; a table opens with its columns. */
export function PlanSection({ run, plan, draft }: { run: Run; plan: Plan; draft: Draft | null }) {
  const drawer = useDrawer('table')
  const opened = plan.tables.find(({ source }) => source === drawer.id)
  const rows = plan.tables.reduce((sum, table) => sum + table.rows, 0)
  return (
    <>
      <Section title="Plan" note={`${formatCount(plan.tables.length, 'table')}, ${formatCount(rows, 'row')}`}>
        {draft ? <ChoicesBar run={run} draft={draft} /> : null}
        <Table
          caption="Planned tables"
          columns={[
            {
              key: 'source',
              header: 'Table',
              rowHeader: true,
              className: 'whitespace-nowrap',
              cell: ({ source }) => <Mono>{source}</Mono>,
            },
            {
              key: 'target',
              header: 'In PostgreSQL',
              cell: ({ source, target }) =>
                source === target ? <span className="text-muted">same name</span> : <Mono>{target}</Mono>,
            },
            { key: 'rows', header: 'Rows', numeric: true, cell: ({ rows }) => formatNumber(rows) },
            {
              key: 'columns',
              header: 'Columns',
              numeric: true,
              cell: ({ columns }) => formatNumber(columns.length),
            },
            { key: 'key', header: 'Primary key', cell: (table) => <Mono>{keyOf(table)}</Mono> },
            {
              key: 'indexes',
              header: 'Indexes',
              numeric: true,
              cell: ({ indexes }) => formatNumber(indexes.length),
            },
            {
              key: 'foreignKeys',
              header: 'Foreign keys',
              numeric: true,
              cell: ({ foreignKeys }) => formatNumber(foreignKeys.length),
            },
          ]}
          rows={plan.tables}
          rowKey={({ source }) => source}
          onOpen={({ source }) => drawer.open(source)}
          selected={drawer.id ?? undefined}
        />
        {draft ? <LeftOut plan={plan} draft={draft} /> : null}
        {draft ? <RejectLimits draft={draft} /> : null}
      </Section>
      <Carried plan={plan} draft={draft} />
      <NotCarried items={plan.notCarried} draft={draft} />
      <Drawer
        open={opened !== undefined}
        onClose={drawer.close}
        title={opened ? <Mono>{opened.source}</Mono> : ''}
        subtitle={opened ? formatCount(opened.rows, 'row') : undefined}
      >
        {opened && draft ? (
          <TableEditor table={opened} choices={draft.choices} onChange={draft.change} />
        ) : null}
        {opened ? <TableDetail table={opened} /> : null}
      </Drawer>
    </>
  )
}
