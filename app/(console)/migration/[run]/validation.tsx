'use client'

import type { Validation } from '@/components/migration/types'
import { Callout } from '@/components/ui/callout'
import { formatCount, formatNumber } from '@/components/ui/format'
import { Status } from '@/components/ui/status'
import { Table } from '@/components/ui/table'
import { Mono, Section } from '@/components/ui/text'
import { CheckList } from './checks'

/** What was compared on both sides, table by table; a difference is named by its first row. */
export function ValidationSection({ validation }: { validation: Validation }) {
  const { tables, checks, ok } = validation
  const columns = tables.reduce((sum, table) => sum + table.columns.length, 0)
  return (
    <Section
      title="Validation"
      note={`Counts and checksums of ${formatCount(columns, 'column')}, computed on both sides`}
    >
      <div className="mb-3">
        <Callout tone={ok ? 'ok' : 'bad'} title={ok ? 'Both sides are the same' : 'The sides differ'} />
      </div>
      <Table
        caption="Validation of each table"
        columns={[
          {
            key: 'table',
            header: 'Table',
            rowHeader: true,
            className: 'whitespace-nowrap',
            cell: ({ table }) => <Mono>{table}</Mono>,
          },
          {
            key: 'ok',
            header: 'Result',
            cell: (table) => (
              <Status kind={table.ok ? 'ok' : 'bad'}>{table.ok ? 'Same' : 'Different'}</Status>
            ),
          },
          {
            key: 'source',
            header: 'Rows, SQLite',
            numeric: true,
            cell: ({ sourceRows }) => formatNumber(sourceRows),
          },
          {
            key: 'target',
            header: 'Rows, PostgreSQL',
            numeric: true,
            cell: ({ targetRows }) => formatNumber(targetRows),
          },
          {
            key: 'columns',
            header: 'Columns that agree',
            numeric: true,
            cell: (table) =>
              `${formatNumber(table.columns.filter((column) => column.ok).length)} of ${formatNumber(table.columns.length)}`,
          },
          {
            key: 'difference',
            header: 'First difference',
            cell: ({ firstDifference, columns }) => (
              <span className="whitespace-normal">
                {firstDifference ? <Mono>{firstDifference}</Mono> : <span className="text-muted">none</span>}
                {columns
                  .filter((column) => !column.ok)
                  .map(({ column, source, target }) => (
                    <span key={column} className="block text-bad">
                      <Mono>{`${column}: ${source} | ${target}`}</Mono>
                    </span>
                  ))}
              </span>
            ),
          },
        ]}
        rows={tables}
        rowKey={({ table }) => table}
        rowTone={(table) => (table.ok ? undefined : 'bad')}
      />
      {checks.length > 0 ? (
        <div className="mt-4">
          <h3 className="mb-2 font-medium">Keys, foreign keys, sequences</h3>
          <CheckList checks={checks} />
        </div>
      ) : null}
    </Section>
  )
}
