'use client'

import { StatementText } from '@/components/database/statement-text'
import type { IndexFigures, TableFigures } from '@/components/database/types'
import { Drawer } from '@/components/ui/drawer'
import { Empty } from '@/components/ui/empty'
import { Figure } from '@/components/ui/figure'
import { formatBytes, formatCount, formatNumber } from '@/components/ui/format'
import { Status } from '@/components/ui/status'
import { KeyValue, type KeyValueItem, Mono } from '@/components/ui/text'
import { nameOf } from './choose'
import { DeadRows, Last } from './table-columns'

/** One table with its indexes. */
export function TableDrawer({
  name,
  table,
  vacuums,
  onClose,
}: {
  /** From the URL; null when it is closed. */
  name: string | null
  table: TableFigures | undefined
  vacuums: boolean
  onClose: () => void
}) {
  return (
    <Drawer
      open={name !== null}
      onClose={onClose}
      title={table ? <Mono>{nameOf(table)}</Mono> : 'Table'}
      subtitle={table ? `${formatBytes(table.tableBytes + table.indexBytes)} with its indexes` : undefined}
    >
      {table ? (
        <>
          <KeyValue items={facts(table, vacuums)} />
          <h3 className="mt-6 mb-2 font-medium">{formatCount(table.indexes.length, 'index', 'indexes')}</h3>
          {table.indexes.length === 0 ? (
            <p className="text-muted">Every read of this table goes through all of its rows.</p>
          ) : (
            <ul className="border-t border-border">
              {table.indexes.map((index) => (
                <Index key={index.name} of={index} />
              ))}
            </ul>
          )}
        </>
      ) : (
        <Empty kind="no-match" title="There is no such table">
          It was dropped or renamed, or the address is not complete.
        </Empty>
      )}
    </Drawer>
  )
}

function facts(table: TableFigures, vacuums: boolean): KeyValueItem[] {
  const number = (value: number | null) => <Figure value={value} format={formatNumber} />
  const last = (at: number | null) => (vacuums ? <Last at={at} /> : number(null))
  return [
    { label: 'Rows, about', value: number(table.rows) },
    { label: 'Table', value: formatBytes(table.tableBytes) },
    { label: 'Indexes', value: formatBytes(table.indexBytes) },
    { label: 'Dead rows, vacuum at', value: <DeadRows of={table} /> },
    { label: 'Last vacuum', value: last(table.lastVacuumAt) },
    { label: 'Last analyse', value: last(table.lastAnalyzeAt) },
    { label: 'Read as a whole', value: number(table.sequentialScans) },
    { label: 'Read by index', value: number(table.indexScans) },
    {
      label: 'Inserts · updates · deletes',
      value: (
        <>
          {number(table.inserts)} · {number(table.updates)} · {number(table.deletes)}
        </>
      ),
    },
  ]
}

function Index({ of: { name, ddl, bytes, scans, unique, primary, valid } }: { of: IndexFigures }) {
  return (
    <li className="border-b border-border py-3">
      <div className="flex flex-wrap items-baseline justify-between gap-x-3">
        <Mono>{name}</Mono>
        <span className="text-muted tabular-nums">{formatBytes(bytes)}</span>
      </div>
      <p className="flex flex-wrap gap-x-3 text-muted">
        {primary ? <span>primary key</span> : unique ? <span>unique</span> : null}
        {scans === 0 && !primary && !unique && valid ? (
          <Status kind="warn">never read</Status>
        ) : (
          <span>
            {scans === null ? 'reads: ' : ''}
            <Figure value={scans} format={(value) => (value === null ? 'n/a' : formatCount(value, 'read'))} />
          </span>
        )}
        {valid ? null : <Status kind="bad">Invalid: its building did not end</Status>}
      </p>
      <div className="mt-2">
        <StatementText sql={ddl} label={`Copy the DDL of ${name}`} />
      </div>
    </li>
  )
}
