import type { SourceForeignKey, SourceTable } from '../source/source'
import type { NotCarried, PlannedForeignKey, PlannedTable } from '../types'
import type { Chosen } from './choices'
import { namer } from './names'

type Report = (item: NotCarried) => void

/** The foreign keys of a table whose parents are carried and unique; others are reported. */
export function planForeignKeys(
  table: SourceTable,
  planned: PlannedTable,
  tables: ReadonlyMap<string, PlannedTable>,
  deps: {
    orphans: ReadonlyMap<string, number>
    chosen: Chosen
    name: (wanted: string) => string
    report: Report
  },
): PlannedForeignKey[] {
  const { orphans, chosen, report } = deps
  const name = namer()
  return table.foreignKeys.flatMap((key, i) => {
    const lost = key.columns.find((column) => chosen.column(table.name, column).exclude)
    const result = chosen.table(key.table).exclude
      ? `The table ${key.table} is left out.`
      : lost
        ? `Its column ${lost} is left out.`
        : planForeignKey(key, planned, tables, name, deps.name)
    if (typeof result === 'string') {
      report({
        kind: 'foreign key',
        name: `${table.name} (${key.columns.join(', ')}) → ${key.table}`,
        reason: result,
      })
      return []
    }
    return [{ ...result, orphans: orphans.get(`${table.name}#${i}`) ?? 0 }]
  })
}

function planForeignKey(
  key: SourceForeignKey,
  planned: PlannedTable,
  tables: ReadonlyMap<string, PlannedTable>,
  name: (wanted: string) => string,
  relation: (wanted: string) => string,
): PlannedForeignKey | string {
  const parent = tables.get(key.table.toLowerCase())
  if (!parent) return `The table ${key.table} is not there.`
  const find = (table: PlannedTable, column: string) =>
    table.columns.find((one) => one.source.toLowerCase() === column.toLowerCase())
  const children = key.columns.map((column) => find(planned, column))
  const parents = key.references
    ? key.references.map((column) => find(parent, column))
    : (parent.primaryKey?.columns ?? []).map((column) => parent.columns.find((one) => one.target === column))
  if (children.length !== parents.length || [...children, ...parents].some((column) => !column)) {
    return `The columns that it refers to are not in ${key.table}.`
  }
  for (const [i, child] of children.entries()) {
    const base = (type: string | undefined) =>
      type?.replace(/\(.*/, '').replace(/^(smallint|integer)$/, 'bigint')
    if (base(child?.type) !== base(parents[i]?.type)) {
      return `${child?.source} is ${child?.type} and ${parents[i]?.source} is ${parents[i]?.type}.`
    }
  }
  const references = parents.map((column) => column?.target as string)
  if (!isUnique(parent, references) && isUnique(parent, references, true)) {
    // Unique under a collation means unique by the characters, too, and a foreign key needs that as a constraint.
    parent.indexes.push({
      name: relation(`${parent.target}_${references.join('_')}_key`),
      unique: true,
      constraint: true,
      columns: references.map((target) => ({ target, descending: false })),
    })
  }
  if (!isUnique(parent, references)) return `(${references.join(', ')}) is not unique in ${parent.source}.`
  return {
    name: name(`${planned.target}_${children.map((column) => column?.target).join('_')}_fkey`),
    columns: children.map((column) => column?.target as string),
    references: { table: parent.target, columns: references },
    onDelete: key.onDelete,
    onUpdate: key.onUpdate,
    deferred: key.deferrable === 'deferred',
    ...(key.deferrable === 'immediate' && { deferrable: true as const }),
    orphans: 0,
  }
}

/** `folded`: an index over lower() and the like counts, too. */
function isUnique(table: PlannedTable, columns: string[], folded = false): boolean {
  const same = (other: string[]) =>
    other.length === columns.length && columns.every((column) => other.includes(column))
  if (table.primaryKey && same(table.primaryKey.columns)) return true
  return table.indexes.some(
    (index) =>
      index.unique &&
      !index.where &&
      (folded || index.columns.every((column) => column.expression === undefined)) &&
      same(index.columns.map(({ target }) => target)),
  )
}
