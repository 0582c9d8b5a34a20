import type { TableFigures } from '@/components/database/types'
import { Figure } from '@/components/ui/figure'
import { formatBytes, formatNumber, type Reading } from '@/components/ui/format'
import { Status } from '@/components/ui/status'
import type { Column } from '@/components/ui/table'
import { RelativeTime } from '@/components/ui/time'
import { isDueForVacuum, nameOf, writesOf } from './choose'

function figureColumn(
  key: string,
  header: string,
  value: (table: TableFigures) => Reading,
  format: (value: Reading) => string = formatNumber,
): Column<TableFigures> {
  return {
    key,
    header,
    numeric: true,
    sortable: true,
    cell: (table) => <Figure value={value(table)} format={format} />,
  }
}

const sizes: Column<TableFigures>[] = [
  {
    key: 'name',
    header: 'Table',
    rowHeader: true,
    sortable: true,
    className: 'w-full',
    cell: (table) => (
      <span className="block min-w-36 font-mono [overflow-wrap:anywhere]">
        {nameOf(table)}
        {table.indexes.some(({ valid }) => !valid) ? (
          <span className="ml-2 font-sans">
            <Status kind="bad">Invalid index</Status>
          </span>
        ) : null}
      </span>
    ),
  },
  figureColumn('rows', 'Rows, about', ({ rows }) => rows),
  figureColumn('size', 'Table', ({ tableBytes }) => tableBytes, formatBytes),
  figureColumn('indexes', 'Indexes', ({ indexBytes }) => indexBytes, formatBytes),
]

const upkeep: Column<TableFigures>[] = [
  {
    key: 'dead',
    header: 'Dead rows',
    numeric: true,
    sortable: true,
    cell: (table) => <DeadRows of={table} />,
  },
  {
    key: 'vacuum',
    header: 'Vacuumed',
    numeric: true,
    sortable: true,
    cell: ({ lastVacuumAt }) => <Last at={lastVacuumAt} />,
  },
  {
    key: 'analyze',
    header: 'Analysed',
    numeric: true,
    sortable: true,
    cell: ({ lastAnalyzeAt }) => <Last at={lastAnalyzeAt} />,
  },
  figureColumn('sequential', 'Read whole', ({ sequentialScans }) => sequentialScans),
  figureColumn('byIndex', 'By index', ({ indexScans }) => indexScans),
  figureColumn('writes', 'Writes', writesOf),
]

const count: Column<TableFigures> = {
  key: 'count',
  header: 'Number of indexes',
  numeric: true,
  cell: ({ indexes }) => formatNumber(indexes.length),
}

/** SQLite knows sizes alone; PostgreSQL also how tables are read, written and kept up. */
export const columnsFor = (vacuums: boolean): Column<TableFigures>[] =>
  vacuums ? [...sizes, ...upkeep] : [...sizes, count]

/** Dead rows beside the number at which autovacuum starts. */
export function DeadRows({ of }: { of: TableFigures }) {
  const { deadRows, vacuumAt } = of
  if (deadRows === null) return <Figure value={null} format={formatNumber} />
  const limit =
    vacuumAt === null ? null : <span className="text-note text-muted"> of {formatNumber(vacuumAt)}</span>
  return (
    <>
      {isDueForVacuum(of) ? <Status kind="warn">{formatNumber(deadRows)}</Status> : formatNumber(deadRows)}
      {limit}
    </>
  )
}

/** When something was last done; `never` is an answer, unlike no answer. */
export function Last({ at }: { at: number | null }) {
  if (at === null) return <span className="text-muted">never</span>
  return <RelativeTime at={at} />
}
