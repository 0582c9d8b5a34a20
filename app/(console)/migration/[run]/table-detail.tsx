'use client'

import type { PlannedTable } from '@/components/migration/types'
import { formatCount, formatNumber } from '@/components/ui/format'
import { Table } from '@/components/ui/table'
import { KeyValue, type KeyValueItem, Mono } from '@/components/ui/text'

type Column = PlannedTable['columns'][number]

/** Everything that becomes of one table: its columns with samples, keys, indexes, checks. */
export function TableDetail({ table }: { table: PlannedTable }) {
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
          { key: 'type', header: 'PostgreSQL', cell: (column) => <Mono>{typeOf(column)}</Mono> },
          { key: 'samples', header: 'Samples', cell: (column) => <Samples column={column} /> },
        ]}
        rows={table.columns}
        rowKey={({ source }) => source}
      />
      <KeyValue items={itemsOf(table)} />
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
    </div>
  )
}

export const keyOf = ({ primaryKey }: PlannedTable) => primaryKey?.columns.join(', ') ?? 'none'

function typeOf({ type, nullable, generated }: Column): string {
  return [type, !nullable && 'NOT NULL', generated && 'generated'].filter(Boolean).join(' ')
}

/** An empty text is seen as one. */
export const shown = (samples: readonly string[]) => samples.map((text) => text || "''").join(' · ')

function Samples({ column: { samples = [], evidence } }: { column: Column }) {
  return (
    <span className="whitespace-normal">
      {samples.length > 0 ? (
        <Mono className="text-muted">{shown(samples)}</Mono>
      ) : (
        <span className="text-muted">none</span>
      )}
      {evidence.nulls > 0 ? (
        <span className="block text-note text-muted">{formatNumber(evidence.nulls)} NULL</span>
      ) : null}
    </span>
  )
}

function itemsOf(table: PlannedTable): KeyValueItem[] {
  const { identity, indexes, foreignKeys, checks = [], columns } = table
  return [
    { label: 'Primary key', value: <Mono>{keyOf(table)}</Mono> },
    ...(identity
      ? [
          {
            label: 'Identity',
            value: (
              <>
                <Mono>{identity.column}</Mono>, last given out {identity.last ?? 'nothing yet'}
              </>
            ),
          },
        ]
      : []),
    ...indexes.map(({ name, unique, ...index }) => ({
      key: name,
      label: unique ? 'Unique' : 'Index',
      value: (
        <BothSql name={name} sql={index.sql} targetSql={index.targetSql ?? indexSql({ ...index, name })} />
      ),
    })),
    ...foreignKeys.map((key) => ({
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
    ...checks.map(({ name, sql, targetSql }) => ({
      key: name,
      label: 'Check',
      value: <BothSql name={name} sql={sql} targetSql={targetSql} />,
    })),
    ...columns
      .filter(({ generated }) => generated)
      .map(({ source, generated }) => ({
        key: `generated ${source}`,
        label: 'Generated',
        value: <BothSql name={source} sql={generated?.sql} targetSql={generated?.targetSql ?? ''} />,
      })),
    ...columns
      .filter((column) => column.default !== undefined)
      .map((column) => ({
        key: `default ${column.source}`,
        label: 'Default',
        value: (
          <Mono>
            {column.target}: {column.default}
          </Mono>
        ),
      })),
  ]
}

/** As written in the source, and as it becomes: one line where that is the same. */
function BothSql({ name, sql, targetSql }: { name: string; sql?: string; targetSql: string }) {
  return (
    <>
      <Mono>{name}</Mono>
      {sql && sql !== targetSql ? (
        <span className="block text-muted">
          SQLite: <Mono>{sql}</Mono>
        </span>
      ) : null}
      <span className="block">
        {sql && sql !== targetSql ? 'PostgreSQL: ' : ''}
        <Mono>{targetSql}</Mono>
      </span>
    </>
  )
}

function indexSql({
  columns,
  where,
}: Pick<PlannedTable['indexes'][number], 'name' | 'columns' | 'where'>): string {
  const keys = columns.map(
    ({ target, descending, expression }) => `${expression ?? target}${descending ? ' DESC' : ''}`,
  )
  return `(${keys.join(', ')})${where ? ` WHERE ${where}` : ''}`
}
