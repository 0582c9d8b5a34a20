'use client'

import type { NamespaceFigures, Stats } from '@/components/cache/types'
import { sumOf } from '@/components/cache/words'
import { Button } from '@/components/ui/button'
import { Empty } from '@/components/ui/empty'
import { Figure } from '@/components/ui/figure'
import { formatBytes, formatNumber, formatShare } from '@/components/ui/format'
import { type Column, Table } from '@/components/ui/table'
import { Mono, Section } from '@/components/ui/text'

export interface NamespacesProps {
  stats: Stats
  /** Shows the keys of a namespace; left out where there is no Redis to look into. */
  onOpen?: (prefix: string) => void
  /** For who may clear one. */
  onClear?: (name: string) => void
}

/** Namespaces that this process has used, with what it holds of each; a row opens its keys. */
export function Namespaces({ stats, onOpen, onClear }: NamespacesProps) {
  const { namespaces, prefix } = stats
  return (
    <Section title="Namespaces" note="since the start of this process">
      <Table<NamespaceFigures>
        caption="Namespaces"
        columns={onClear ? [...columns, clearColumn(onClear)] : columns}
        rows={[...namespaces].sort((a, b) => (a.name < b.name ? -1 : 1))}
        rowKey={({ name }) => name}
        onOpen={onOpen && (({ name }) => onOpen(`${prefix}${name}:`))}
        empty={<Empty kind="no-data" title="Nothing has used the cache yet" />}
      />
    </Section>
  )
}

const readsOf = ({ hits, misses }: NamespaceFigures) => hits + sumOf(misses)

const columns: Column<NamespaceFigures>[] = [
  {
    key: 'name',
    header: 'Namespace',
    rowHeader: true,
    className: 'w-full',
    cell: ({ name }) => <Mono>{name}</Mono>,
  },
  { key: 'reads', header: 'Reads', numeric: true, cell: (row) => formatNumber(readsOf(row)) },
  {
    key: 'ratio',
    header: 'Hit ratio',
    numeric: true,
    cell: (row) => (
      <Figure value={readsOf(row) === 0 ? null : row.hits / readsOf(row)} format={formatShare} />
    ),
  },
  { key: 'sets', header: 'Set', numeric: true, cell: ({ sets }) => formatNumber(sets) },
  {
    key: 'entries',
    header: 'In memory here',
    numeric: true,
    cell: ({ localEntries }) => formatNumber(localEntries),
  },
  {
    key: 'bytes',
    header: 'Bytes in memory',
    numeric: true,
    cell: ({ localBytes }) => formatBytes(localBytes),
  },
]

const clearColumn = (onClear: (name: string) => void): Column<NamespaceFigures> => ({
  key: 'clear',
  header: <span className="sr-only">Clear</span>,
  className: 'text-right',
  cell: ({ name }) => (
    <Button
      size="small"
      aria-label={`Clear ${name}`}
      onClick={(event) => {
        event.stopPropagation()
        onClear(name)
      }}
    >
      Clear…
    </Button>
  ),
})
