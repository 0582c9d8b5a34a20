'use client'

import type { Validation } from '@/components/migration/types'
import { Status } from '@/components/ui/status'
import { Table } from '@/components/ui/table'
import { Mono } from '@/components/ui/text'

type TableResult = Validation['tables'][number]
type Difference = NonNullable<TableResult['difference']>

/** The first row of each table that is not the same, as both sides hold it. */
export function Differences({ tables }: { tables: readonly TableResult[] }) {
  const found = tables.flatMap(({ table, difference }) => (difference ? [{ table, difference }] : []))
  return found.map(({ table, difference }) => (
    <div key={table} className="mt-4">
      <h3 className="mb-2 font-medium">
        First row that differs in <Mono>{table}</Mono>: <Mono>{difference.key}</Mono>
      </h3>
      {difference.missing ? <p className="mb-2 text-bad">{missingWords[difference.missing]}</p> : null}
      <SideBySide table={table} difference={difference} />
    </div>
  ))
}

const missingWords = {
  source: 'SQLite has no such row.',
  target: 'PostgreSQL has no such row.',
}

function SideBySide({ table, difference }: { table: string; difference: Difference }) {
  return (
    <Table
      caption={`First row that differs in ${table}`}
      scroll="own"
      columns={[
        { key: 'column', header: 'Column', rowHeader: true, cell: ({ column }) => <Mono>{column}</Mono> },
        { key: 'source', header: 'SQLite', cell: ({ source }) => <Value text={source} /> },
        { key: 'target', header: 'PostgreSQL', cell: ({ target }) => <Value text={target} /> },
        {
          key: 'result',
          header: 'Result',
          cell: ({ differs }) => (
            <Status kind={differs ? 'bad' : 'ok'}>{differs ? 'Different' : 'Same'}</Status>
          ),
        },
      ]}
      rows={difference.columns}
      rowKey={({ column }) => column}
      rowTone={({ differs }) => (differs ? 'bad' : undefined)}
    />
  )
}

const Value = ({ text }: { text: string | null }) =>
  text === null ? (
    <span className="text-muted">NULL</span>
  ) : (
    <Mono className="whitespace-pre-wrap">{text}</Mono>
  )
