import type { SourceTable } from '../source/source'
import { translateCondition } from '../sql/translate'
import type { NotCarried, PlannedCheck, PlannedTable } from '../types'
import { namer } from './names'
import { tableScope } from './scope'

/** The CHECKs of a table that mean the same in PostgreSQL; others are reported. */
export function planChecks(
  table: SourceTable,
  planned: PlannedTable,
  report: (item: NotCarried) => void,
): PlannedCheck[] {
  const scope = tableScope(table, planned.columns)
  const name = namer()
  // Names of constraints are unique within a table.
  const standing = [...planned.indexes, ...planned.foreignKeys].map((one) => one.name)
  for (const taken of [...(planned.primaryKey ? [planned.primaryKey.name] : []), ...standing]) name(taken)
  return table.checks.flatMap(({ name: given, column, expression, sql }) => {
    const translated = translateCondition(expression, scope)
    if ('reason' in translated) {
      const label = given ?? (column ? `${table.name}.${column}` : table.name)
      report({ kind: 'check', name: label, reason: translated.reason, sql })
      return []
    }
    const wanted = given ?? `${planned.target}${column ? `_${column}` : ''}_check`
    return [{ name: name(wanted), sql, targetSql: `CHECK (${translated.sql})` }]
  })
}
