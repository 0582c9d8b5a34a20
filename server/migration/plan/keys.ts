import type { SourceTable } from '../source/source'
import type { NotCarried, PlannedIdentity, PlannedTable, TableEvidence } from '../types'
import { planIndexes, reportCollations } from './indexes'

/** Gives a table its primary key, indexes and the sequence that feeds its rowid alias. */
export function planKeys(
  table: SourceTable,
  planned: PlannedTable,
  evidence: TableEvidence,
  name: (wanted: string) => string,
  report: (item: NotCarried) => void,
): void {
  reportCollations(table, planned.columns, report)
  planned.indexes = planIndexes(table, planned, name, report)
  planPrimaryKey(table, planned, name, report)
  for (const sql of table.conflicts) {
    const reason =
      'PostgreSQL refuses such a row: write INSERT … ON CONFLICT where it should be passed over or replace another.'
    report({ kind: 'conflict clause', name: table.name, reason, sql })
  }
  const identity = planIdentity(table, planned, evidence)
  if (identity) planned.identity = identity
}

function planPrimaryKey(
  table: SourceTable,
  planned: PlannedTable,
  name: (wanted: string) => string,
  report: (item: NotCarried) => void,
): void {
  if (table.primaryKey.length === 0) return
  const columns = table.primaryKey.map((key) => find(planned, key.name))
  const lost = table.primaryKey.find((_, i) => !columns[i])
  if (lost) {
    report({ kind: 'primary key', name: table.name, reason: `Its column ${lost.name} is left out.` })
    return
  }
  const targets = columns.map((column) => column?.target as string)
  const constraint = name(`${planned.target}_pkey`)
  if (columns.some((column) => column?.nullable)) {
    report({
      kind: 'primary key',
      name: table.name,
      reason: 'Rows with NULL in the key: carried as UNIQUE.',
    })
    planned.indexes.unshift({
      name: constraint,
      unique: true,
      constraint: true,
      columns: targets.map((target) => ({ target, descending: false })),
    })
  } else planned.primaryKey = { name: constraint, columns: targets }
}

/** A rowid alias gives out values by itself; its sequence goes on after the greatest ever given. */
function planIdentity(
  table: SourceTable,
  planned: PlannedTable,
  evidence: TableEvidence,
): PlannedIdentity | undefined {
  const column = table.rowidAlias === null ? undefined : find(planned, table.rowidAlias)
  if (column?.render !== 'integer') return undefined
  const seen = [table.sequence, evidence.rowids?.max ?? null].filter((value) => value !== null).map(BigInt)
  const last = seen.length === 0 ? null : seen.reduce((a, b) => (a > b ? a : b)).toString()
  return { column: column.target, last }
}

function find(planned: PlannedTable, name: string) {
  return planned.columns.find((column) => column.source.toLowerCase() === name.toLowerCase())
}
