import type { SourceTable } from '../source/source'
import { type KnownColumn, knownColumn, type Scope } from '../sql/types'
import type { PlannedColumn } from '../types'

/** The columns of one table as names in its own expressions; `prefix` stands before them: NEW., or a table's alias. */
export function tableColumns(
  table: Pick<SourceTable, 'columns' | 'rowidAlias' | 'rowidName'>,
  planned: readonly PlannedColumn[],
  prefix = '',
): (name: string) => KnownColumn | undefined {
  const known = new Map(
    planned.map((column) => {
      const lower = column.source.toLowerCase()
      const collation = table.columns.find((one) => one.name.toLowerCase() === lower)?.collation ?? undefined
      return [lower, knownColumn(column, prefix, collation)]
    }),
  )
  return (name) => {
    const lower = name.toLowerCase()
    const alias = /^(rowid|_rowid_|oid)$/.test(lower) ? table.rowidAlias?.toLowerCase() : undefined
    return known.get(lower) ?? (alias === undefined ? undefined : known.get(alias))
  }
}

/** A table's own expressions name its columns, with or without the table before them. */
export function tableScope(table: SourceTable, planned: readonly PlannedColumn[]): Scope {
  const find = tableColumns(table, planned)
  return {
    find: (name, qualifier) =>
      qualifier === undefined || qualifier.toLowerCase() === table.name.toLowerCase()
        ? find(name)
        : undefined,
  }
}
