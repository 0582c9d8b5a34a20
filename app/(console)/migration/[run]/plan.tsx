'use client'

import type { Plan, PlannedTable } from '@/components/migration/types'
import { Drawer } from '@/components/ui/drawer'
import { formatCount, formatNumber } from '@/components/ui/format'
import { Table } from '@/components/ui/table'
import { CodeBlock, KeyValue, Mono, Section } from '@/components/ui/text'
import { useDrawer } from '@/components/ui/url-state'

/** Tables, types, keys and indexes as they will be or were made; a table opens with its columns. */
export function PlanSection({ plan }: { plan: Plan }) {
  const drawer = useDrawer('table')
  const opened = plan.tables.find(({ source }) => source === drawer.id)
  const rows = plan.tables.reduce((sum, table) => sum + table.rows, 0)
  return (
    <>
      <Section title="Plan" note={`${formatCount(plan.tables.length, 'table')}, ${formatCount(rows, 'row')}`}>
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
      </Section>
      <NotCarried items={plan.notCarried} />
      <Drawer
        open={opened !== undefined}
        onClose={drawer.close}
        title={opened ? <Mono>{opened.source}</Mono> : ''}
        subtitle={opened ? formatCount(opened.rows, 'row') : undefined}
      >
        {opened ? <TableDetail table={opened} /> : null}
      </Drawer>
    </>
  )
}

const keyOf = ({ primaryKey }: PlannedTable) => primaryKey?.columns.join(', ') ?? 'none'

/** What stays behind is said before the start, never dropped in silence. */
function NotCarried({ items }: { items: Plan['notCarried'] }) {
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

function TableDetail({ table }: { table: PlannedTable }) {
  return (
    <div className="flex flex-col gap-6">
      <Table
        caption={`Columns of ${table.source}`}
        scroll="own"
        columns={[
          {
            key: 'name',
            header: 'Column',
            rowHeader: true,
            className: 'whitespace-nowrap',
            cell: ({ source, target }) => <Mono>{source === target ? source : `${source} → ${target}`}</Mono>,
          },
          {
            key: 'declared',
            header: 'SQLite',
            cell: ({ declaredType }) => <Mono>{declaredType || 'none'}</Mono>,
          },
          {
            key: 'type',
            header: 'PostgreSQL',
            cell: ({ type, nullable }) => <Mono>{nullable ? type : `${type} NOT NULL`}</Mono>,
          },
        ]}
        rows={table.columns}
        rowKey={({ source }) => source}
      />
      <KeyValue
        items={[
          { label: 'Primary key', value: <Mono>{keyOf(table)}</Mono> },
          ...(table.identity
            ? [
                {
                  label: 'Identity',
                  value: (
                    <>
                      <Mono>{table.identity.column}</Mono>, last given out{' '}
                      {table.identity.last ?? 'nothing yet'}
                    </>
                  ),
                },
              ]
            : []),
          ...table.indexes.map((index) => ({
            key: index.name,
            label: index.unique ? 'Unique' : 'Index',
            value: (
              <Mono>
                {index.name} (
                {index.columns
                  .map(({ target, descending }) => `${target}${descending ? ' DESC' : ''}`)
                  .join(', ')}
                ){index.where ? ` WHERE ${index.where}` : ''}
              </Mono>
            ),
          })),
          ...table.foreignKeys.map((key) => ({
            key: key.name,
            label: 'Foreign key',
            value: (
              <>
                <Mono>
                  {key.columns.join(', ')} → {key.references.table} ({key.references.columns.join(', ')})
                </Mono>
                {key.orphans > 0 ? (
                  <span className="block text-warn">{formatCount(key.orphans, 'row')} without parent</span>
                ) : null}
              </>
            ),
          })),
        ]}
      />
      {table.columns
        .filter(({ note }) => note)
        .map(({ source, note }) => (
          <p key={source}>
            <Mono>{source}</Mono>: <span className="text-muted">{note}</span>
          </p>
        ))}
      {table.notes.map((note) => (
        <p key={note} className="text-muted">
          {note}
        </p>
      ))}
      {table.columns.some((column) => column.default) ? (
        <CodeBlock label="Defaults" wrap>
          {table.columns
            .filter((column) => column.default)
            .map((column) => `${column.target} DEFAULT ${column.default}`)
            .join('\n')}
        </CodeBlock>
      ) : null}
    </div>
  )
}
