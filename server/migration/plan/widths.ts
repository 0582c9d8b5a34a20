import type { SourceTable } from '../source/source'
import type { PlannedColumn, PlannedTable } from '../types'

const WIDTHS = ['smallint', 'integer', 'bigint']

/**
 * Gives both ends of every foreign key the wider of their integer types, until nothing changes: what refers to a
 * bigint is one. Types in `chosen` stay as they are; PostgreSQL compares integers of different widths.
 */
export function matchWidths(
  tables: readonly PlannedTable[],
  sources: readonly SourceTable[],
  chosen: (table: string, column: string) => boolean,
): void {
  const bySource = new Map(tables.map((table) => [table.source.toLowerCase(), table]))
  const find = (table: PlannedTable, name: string) =>
    table.columns.find((column) => column.source.toLowerCase() === name.toLowerCase())
  const fixed = new Set(
    tables.flatMap((table) => table.columns.filter((column) => chosen(table.source, column.source))),
  )
  const pairs = sources.flatMap((source) => {
    const child = bySource.get(source.name.toLowerCase())
    return source.foreignKeys.flatMap((key) => {
      const parent = bySource.get(key.table.toLowerCase())
      const keyOf = sources.find((one) => one.name.toLowerCase() === key.table.toLowerCase())?.primaryKey
      const references = key.references ?? keyOf?.map(({ name }) => name) ?? []
      return key.columns.flatMap((name, i) => {
        const from = child && find(child, name)
        const to = parent && find(parent, references[i] ?? '')
        return from?.render === 'integer' && to?.render === 'integer' ? [[from, to] as const] : []
      })
    })
  })
  for (let changed = true; changed; ) {
    changed = false
    for (const pair of pairs) {
      const type = WIDTHS[Math.max(...pair.map((column) => WIDTHS.indexOf(column.type)))] as string
      for (const column of pair) {
        if (column.type === type || fixed.has(column)) continue
        widen(column, type)
        changed = true
      }
    }
  }
}

/** The type that foreign keys ask for is the one proposed. */
function widen(column: PlannedColumn, type: string): void {
  column.type = type
  const option = column.options?.find((one) => one.type === type)
  if (option && column.options) {
    column.options = [option, ...column.options.filter((one) => one !== option)]
  }
}
