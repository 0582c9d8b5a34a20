import type { TableFigures } from '@/components/database/types'
import type { Sort } from '@/components/ui/table'

export const attentionOrder = ['vacuum', 'unanalysed', 'invalid', 'sequential'] as const
export type Attention = (typeof attentionOrder)[number]

export interface TableFilter {
  text: string
  attention: Attention | null
}

/** Below this many rows reading a whole table is quicker than any index. */
const MANY_ROWS = 10_000

/** The table's name with its schema, unless that is the usual one: also its name in the URL. */
export const nameOf = ({ schema, name }: Pick<TableFigures, 'schema' | 'name'>) =>
  schema === null || schema === 'public' ? name : `${schema}.${name}`

export const writesOf = ({ inserts, updates, deletes }: TableFigures): number | null =>
  inserts === null || updates === null || deletes === null ? null : inserts + updates + deletes

/** Dead rows have passed the number at which autovacuum starts. */
export const isDueForVacuum = ({ deadRows, vacuumAt }: TableFigures): boolean =>
  deadRows !== null && vacuumAt !== null && deadRows >= vacuumAt

const needs: Record<Attention, (table: TableFigures) => boolean> = {
  vacuum: isDueForVacuum,
  unanalysed: ({ schema, lastAnalyzeAt, rows }) => schema !== null && lastAnalyzeAt === null && rows !== 0,
  invalid: ({ indexes }) => indexes.some(({ valid }) => !valid),
  sequential: ({ rows, sequentialScans, indexScans }) =>
    (rows ?? 0) >= MANY_ROWS && (sequentialScans ?? 0) > (indexScans ?? 0),
}

/** Whether a table passes the filter; the text is looked for in its name and those of its indexes. */
export function passes({ text, attention }: TableFilter, table: TableFigures): boolean {
  const wanted = text.trim().toLowerCase()
  return (
    (attention === null || needs[attention](table)) &&
    (wanted === '' ||
      nameOf(table).toLowerCase().includes(wanted) ||
      table.indexes.some(({ name }) => name.toLowerCase().includes(wanted)))
  )
}

const figures: Record<string, (table: TableFigures) => number | null> = {
  rows: ({ rows }) => rows,
  size: ({ tableBytes }) => tableBytes,
  indexes: ({ indexBytes }) => indexBytes,
  dead: ({ deadRows }) => deadRows,
  vacuum: ({ lastVacuumAt }) => lastVacuumAt,
  analyze: ({ lastAnalyzeAt }) => lastAnalyzeAt,
  sequential: ({ sequentialScans }) => sequentialScans,
  byIndex: ({ indexScans }) => indexScans,
  writes: writesOf,
}

/** One locale for the server's HTML and every browser. */
const { compare } = new Intl.Collator('en', { numeric: true })
const byName = (a: TableFigures, b: TableFigures) => compare(nameOf(a), nameOf(b))

/** Tables in the asked order, equal ones by name; what has no such figure comes last. */
export function sorted(tables: readonly TableFigures[], { by, direction }: Sort): TableFigures[] {
  const figure = Object.hasOwn(figures, by) ? figures[by] : undefined
  const sign = direction === 'desc' ? -1 : 1
  return [...tables].sort((a, b) => {
    if (!figure) return sign * byName(a, b)
    const [one, other] = [figure(a), figure(b)]
    if (one === null || other === null) return Number(one === null) - Number(other === null) || byName(a, b)
    return sign * (one - other) || byName(a, b)
  })
}
