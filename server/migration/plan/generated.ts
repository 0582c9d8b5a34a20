import type { SourceTable } from '../source/source'
import { assign } from '../sql/assign'
import { attempt, translateFor } from '../sql/translate'
import type { Scope } from '../sql/types'
import type { NotCarried, PlannedColumn, PlannedTable } from '../types'
import { quoteIdentifier } from './names'
import { tableScope } from './scope'

/**
 * Marks the generated columns that PostgreSQL can compute the same: an immutable expression over ordinary columns.
 * Others stay ordinary columns with their present values, and are reported.
 */
export function planGenerated(
  table: SourceTable,
  planned: PlannedTable,
  report: (item: NotCarried) => void,
): void {
  const plain = tableScope(table, planned.columns)
  const made = new Map<string, string>()
  // A generated column may not refer to another in PostgreSQL: what that is made of is put in its place.
  const scope: Scope = {
    find(name, qualifier) {
      const column = plain.find(name, qualifier)
      if (!column) return undefined
      const expanded = made.get(column.source) ?? make(column.source)
      return expanded ? { ...column, expanded } : column
    },
  }
  const make = (source: string): string | undefined => {
    const clause = table.columns.find((column) => column.name === source)?.generated
    const column = planned.columns.find((one) => one.source === source)
    if (!clause || !column) return undefined
    const found = attempt(() =>
      translateFor(clause.expression, scope, (context, value) => assign(context, value, column)),
    )
    const reason =
      'reason' in found
        ? found.reason
        : found.immutable
          ? refusal(planned, column)
          : 'Its value depends on more than the row.'
    if (reason !== null) {
      report({
        kind: 'generated column',
        name: `${table.name}.${source}`,
        reason: `${reason} Carried as an ordinary column with its present values.`,
        sql: clause.sql,
      })
      return undefined
    }
    const expression = 'reason' in found ? '' : found.result
    column.generated = {
      sql: clause.sql,
      targetSql: `GENERATED ALWAYS AS (${expression}) STORED`,
      stored: clause.stored,
    }
    delete column.default
    const typed = `(${expression})::${column.type}`
    made.set(source, typed)
    return typed
  }
  for (const column of table.columns) if (column.generated && !made.has(column.name)) make(column.name)
}

/** PostgreSQL lets no foreign key's action write a generated column. */
function refusal(planned: PlannedTable, column: PlannedColumn): string | null {
  const key = planned.foreignKeys.find(
    (one) =>
      one.columns.includes(column.target) && (/SET/.test(one.onDelete) || one.onUpdate !== 'NO ACTION'),
  )
  return key ? `The foreign key ${quoteIdentifier(key.name)} writes it.` : null
}

/** A table with the columns that are loaded: PostgreSQL lets nobody write generated ones. */
export function loadedPart(table: PlannedTable): PlannedTable {
  return { ...table, columns: table.columns.filter((column) => !column.generated) }
}
