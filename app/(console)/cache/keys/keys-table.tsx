'use client'

import type { ReactNode } from 'react'
import type { KeyFacts } from '@/components/cache/key-types'
import { Figure } from '@/components/ui/figure'
import { formatBytes, formatCount } from '@/components/ui/format'
import { type Column, type Sort, Table } from '@/components/ui/table'
import { type Listing, type Row, rowsOf } from './listing'
import { ttlWords, typeWords } from './words'

export interface KeysTableProps {
  list: Listing
  sort: Sort
  onSort: (sort: Sort) => void
  onFolder: (prefix: string) => void
  onKey: (key: string) => void
  /** The key that is open. */
  opened: string | null
  /** Chosen keys, for who may delete them. */
  chosen: ReadonlySet<string> | undefined
  onChoose: (chosen: ReadonlySet<string>) => void
  empty: ReactNode
}

/** Folders and keys of one place. */
export function KeysTable(props: KeysTableProps) {
  const { list, sort, onSort, onFolder, onKey, opened, chosen, onChoose, empty } = props
  const choices = chosen ? [choiceColumn(list.keys, chosen, onChoose)] : []
  return (
    <Table<Row>
      caption="Folders and keys"
      columns={[...choices, ...columns]}
      rows={rowsOf(list, sort)}
      rowKey={rowKey}
      sort={sort}
      onSort={onSort}
      onOpen={(row) => (row.kind === 'folder' ? onFolder(row.folder.prefix) : onKey(row.facts.key))}
      selected={opened === null ? undefined : `key ${opened}`}
      empty={empty}
    />
  )
}

const rowKey = (row: Row) => (row.kind === 'folder' ? `folder ${row.folder.prefix}` : `key ${row.facts.key}`)

function choiceColumn(
  keys: readonly KeyFacts[],
  chosen: ReadonlySet<string>,
  onChoose: (chosen: ReadonlySet<string>) => void,
): Column<Row> {
  const all = keys.length > 0 && keys.every(({ key }) => chosen.has(key))
  const toggle = (key: string) => {
    const next = new Set(chosen)
    if (!next.delete(key)) next.add(key)
    onChoose(next)
  }
  return {
    key: 'choose',
    className: 'w-8',
    header:
      keys.length > 0 ? (
        <Tick
          label="Select all keys shown"
          checked={all}
          onChange={() => onChoose(all ? new Set() : new Set(keys.map(({ key }) => key)))}
        />
      ) : (
        <span className="sr-only">Selected</span>
      ),
    cell: (row) =>
      row.kind === 'key' ? (
        <Tick
          label={`Select ${row.facts.name || row.facts.key}`}
          checked={chosen.has(row.facts.key)}
          onChange={() => toggle(row.facts.key)}
        />
      ) : null,
  }
}

/** A checkbox of 24 px around it; its click is not one on the row. */
function Tick({ label, checked, onChange }: { label: string; checked: boolean; onChange: () => void }) {
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the key is the checkbox's own
    <label
      className="inline-grid size-6 place-items-center align-middle"
      onClick={(event) => event.stopPropagation()}
    >
      <span className="sr-only">{label}</span>
      <input type="checkbox" checked={checked} onChange={onChange} className="size-4 accent-accent" />
    </label>
  )
}

const columns: Column<Row>[] = [
  {
    key: 'name',
    header: 'Name',
    rowHeader: true,
    sortable: true,
    className: 'w-full',
    cell: (row) => (
      <span className="block min-w-40 font-mono text-note wrap-anywhere">
        {row.kind === 'folder' ? `${row.folder.name}:` : row.facts.name || '(empty)'}
      </span>
    ),
  },
  {
    key: 'type',
    header: 'Type',
    className: 'whitespace-nowrap',
    cell: (row) =>
      row.kind === 'folder' ? (
        <span className="text-muted">Folder of {formatCount(row.folder.keys, 'key')}</span>
      ) : (
        typeWords[row.facts.type]
      ),
  },
  {
    key: 'ttl',
    header: 'Time to live',
    numeric: true,
    sortable: true,
    cell: (row) => (row.kind === 'folder' ? null : ttlWords(row.facts.ttl)),
  },
  {
    key: 'bytes',
    header: 'Memory',
    numeric: true,
    sortable: true,
    cell: (row) => (row.kind === 'folder' ? null : <Figure value={row.facts.bytes} format={formatBytes} />),
  },
]
