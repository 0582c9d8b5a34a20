'use client'

import { useState } from 'react'
import { useMay } from '@/components/auth/use-may'
import { ClearDialog } from '@/components/cache/clear-dialog'
import { namespaceHref } from '@/components/cache/keys-href'
import type { NamespaceFigures, Stats } from '@/components/cache/types'
import { sumOf } from '@/components/cache/words'
import { Button } from '@/components/ui/button'
import { Empty } from '@/components/ui/empty'
import { Figure, ShareBar } from '@/components/ui/figure'
import { formatBytes, formatNumber, formatShare } from '@/components/ui/format'
import { Link } from '@/components/ui/link'
import { plainLink } from '@/components/ui/plain-link'
import { type Column, type Sort, Table } from '@/components/ui/table'
import { Mono, Section } from '@/components/ui/text'
import { useDrawer, useSort } from '@/components/ui/url-state'
import { NamespaceDrawer } from './namespace-drawer'

/** Parts of the cache, each with its figures; a row opens the rest of them. */
export function Namespaces({ stats }: { stats: Stats }) {
  const drawer = useDrawer('namespace')
  const { sort, onSort } = useSort({ by: 'hits', direction: 'desc' })
  const { manage } = useMay('cache')
  const [clearing, setClearing] = useState<string>()
  const opened = stats.namespaces.find(({ name }) => name === drawer.id)
  return (
    <Section title="Namespaces" note="since the start of this process">
      <Table<NamespaceFigures>
        caption="Namespaces"
        density="roomy"
        columns={columnsOf(stats, manage ? setClearing : undefined)}
        rows={sorted(stats.namespaces, sort)}
        rowKey={({ name }) => name}
        sort={sort}
        onSort={onSort}
        onOpen={({ name }) => drawer.open(name)}
        selected={drawer.id ?? undefined}
        empty={<Empty kind="no-data" title="Nothing has used the cache yet" />}
      />
      <NamespaceDrawer
        name={drawer.id}
        figures={opened}
        stats={stats}
        onClear={manage ? setClearing : undefined}
        onClose={drawer.close}
      />
      {clearing === undefined ? null : (
        <ClearDialog
          target={{ scope: 'namespace', namespace: clearing }}
          onClose={() => setClearing(undefined)}
        />
      )}
    </Section>
  )
}

const missesOf = ({ misses }: NamespaceFigures) => sumOf(misses)
const ratioOf = (figures: NamespaceFigures) => {
  const asked = figures.hits + missesOf(figures)
  return asked === 0 ? null : figures.hits / asked
}
const localShareOf = ({ hits, localHits }: NamespaceFigures) => (hits === 0 ? null : localHits / hits)

const VALUES: Record<string, (figures: NamespaceFigures) => number | null> = {
  hits: ({ hits }) => hits,
  misses: missesOf,
  ratio: ratioOf,
  local: localShareOf,
  stale: ({ staleHits }) => staleHits,
  computed: ({ computed }) => computed,
  bytes: ({ localBytes }) => localBytes,
}

function sorted(rows: readonly NamespaceFigures[], { by, direction }: Sort): NamespaceFigures[] {
  const sign = direction === 'asc' ? 1 : -1
  const value = VALUES[by]
  return [...rows].sort(
    (a, b) =>
      sign * (value ? (value(a) ?? -1) - (value(b) ?? -1) : a.name.localeCompare(b.name)) ||
      a.name.localeCompare(b.name),
  )
}

function columnsOf(stats: Stats, onClear?: (name: string) => void): Column<NamespaceFigures>[] {
  return [
    {
      key: 'name',
      header: 'Namespace',
      rowHeader: true,
      sortable: true,
      cell: ({ name }) => <Mono>{name}</Mono>,
    },
    figure('hits', 'Hits', formatNumber),
    figure('misses', 'Misses', formatNumber),
    {
      ...figure('ratio', 'Hit ratio', formatShare),
      cell: (row) => (
        <span className="inline-flex items-center gap-2">
          <ShareBar share={ratioOf(row) ?? 0} className="w-12 max-sm:hidden" />
          <Figure value={ratioOf(row)} format={formatShare} />
        </span>
      ),
    },
    figure('local', 'Of hits, local', formatShare),
    figure('stale', 'Stale', formatNumber),
    {
      ...figure('computed', 'Computed · shared', formatNumber),
      cell: ({ computed, shared }) => `${formatNumber(computed)} · ${formatNumber(shared)}`,
    },
    figure('bytes', 'Local bytes', formatBytes),
    {
      key: 'actions',
      header: <span className="sr-only">Actions</span>,
      className: 'whitespace-nowrap text-right',
      cell: ({ name }) => (
        // biome-ignore lint/a11y/noStaticElementInteractions: only keeps clicks on the controls from opening the row
        // biome-ignore lint/a11y/useKeyWithClickEvents: the row is opened by its own button
        <span className="inline-flex items-center gap-3" onClick={(event) => event.stopPropagation()}>
          {stats.mode === 'memory' ? null : (
            <Link
              href={namespaceHref(stats, name)}
              aria-label={`Keys of ${name}`}
              className={`inline-flex min-h-6 items-center ${plainLink}`}
            >
              Keys
            </Link>
          )}
          {onClear ? (
            <Button size="small" aria-label={`Clear ${name}…`} onClick={() => onClear(name)}>
              Clear…
            </Button>
          ) : null}
        </span>
      ),
    },
  ]
}

function figure(
  key: string,
  header: string,
  format: (value: number | null | undefined) => string,
): Column<NamespaceFigures> {
  return {
    key,
    header,
    numeric: true,
    sortable: true,
    cell: (row) => <Figure value={VALUES[key]?.(row)} format={format} />,
  }
}
