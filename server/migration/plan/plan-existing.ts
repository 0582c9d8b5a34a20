import { MigrationError } from '../failure'
import { listPrograms } from '../source/programs'
import type { SourceSchema, SourceTable } from '../source/source'
import type { TargetColumn, TargetTable } from '../target/catalog'
import type { ColumnEvidence, Plan, PlannedColumn, PlannedTable, Render, TableEvidence } from '../types'
import { planScan } from './plan'

/** Smallest and largest value of PostgreSQL's integers (https://www.postgresql.org/docs/current/datatype-numeric.html). */
const INTEGERS: Record<string, bigint> = { smallint: 1n << 15n, integer: 1n << 31n, bigint: 1n << 63n }

/**
 * The plan for tables that are there already: types come from the target's catalogue, and every value of the
 * evidence must fit them. Throws TARGET_MISMATCH with all that doesn't match, before anything is written.
 */
export function planExisting(
  schema: SourceSchema,
  evidence: ReadonlyMap<string, TableEvidence>,
  catalog: readonly TargetTable[],
  targetSchema: string,
): Plan {
  const problems: string[] = []
  const tables = schema.tables.flatMap((table) => {
    const target = catalog.find((one) => one.name === table.name) ?? findFolded(catalog, table.name)
    if (!target) {
      problems.push(`the target has no table ${table.name}`)
      return []
    }
    return [matchTable(table, evidence.get(table.name) as TableEvidence, target, problems)]
  })
  if (problems.length > 0) {
    const more = problems.length > 8 ? ` and ${problems.length - 8} more` : ''
    throw new MigrationError(
      'TARGET_MISMATCH',
      `The target's tables don't match the source: ${problems.slice(0, 8).join('; ')}${more}.`,
      'Bring the target to the same version of its schema, or leave tables out.',
    )
  }
  const ordered = parentsFirst(tables)
  return {
    source: schema.facts,
    schema: targetSchema,
    mode: 'existing',
    tables: ordered,
    notCarried: [...schema.notCarried, ...listPrograms(schema)],
  }
}

function findFolded<T extends { name: string }>(items: readonly T[], name: string): T | undefined {
  return items.find((one) => one.name.toLowerCase() === name.toLowerCase())
}

function matchTable(
  table: SourceTable,
  evidence: TableEvidence,
  target: TargetTable,
  problems: string[],
): PlannedTable {
  const columns: PlannedColumn[] = []
  table.columns.forEach((column, i) => {
    if (column.generated) return
    const found = evidence.columns[i] as ColumnEvidence
    const match =
      target.columns.find((one) => one.name === column.name) ?? findFolded(target.columns, column.name)
    const where = `${table.name}.${column.name}`
    if (!match || match.generated) {
      problems.push(`the target has no column ${where} to fill`)
      return
    }
    const render = renderFor(match.type, found)
    if (typeof render !== 'string') problems.push(`${where} (${match.type}): ${render.reason}`)
    else if (match.notNull && found.nulls > 0)
      problems.push(`${where} is NOT NULL, but ${found.nulls} rows hold NULL`)
    else {
      columns.push({
        source: column.name,
        target: match.name,
        declaredType: column.declaredType,
        type: match.type,
        nullable: !match.notNull,
        evidence: found,
        render,
      })
    }
  })
  const filled = new Set(columns.map((column) => column.target))
  for (const column of target.columns) {
    if (
      !filled.has(column.name) &&
      column.notNull &&
      !column.hasDefault &&
      !column.sequence &&
      problems.length === 0
    ) {
      problems.push(`${target.name}.${column.name} needs a value that the source doesn't have`)
    }
  }
  const fed = target.columns.find((column) => column.sequence && filled.has(column.name)) as
    | TargetColumn
    | undefined
  return {
    source: table.name,
    target: target.name,
    rows: evidence.rows,
    bytes: evidence.columns.reduce((sum, column) => sum + column.bytes, 0),
    columns,
    primaryKey: target.primaryKey,
    indexes: [],
    foreignKeys: target.foreignKeys.map((key) => ({
      name: key.name,
      columns: key.columns,
      references: { table: key.table, columns: key.references },
      onDelete: 'NO ACTION',
      onUpdate: 'NO ACTION',
      deferred: /INITIALLY DEFERRED/.test(key.definition),
      orphans: 0,
    })),
    ...(fed && { identity: { column: fed.name, last: table.sequence ?? evidence.rowids?.max ?? null } }),
    scan: planScan(table, evidence),
    notes: [],
  }
}

/** How a column's values are written as `type`, or why they can't be. */
export function renderFor(type: string, evidence: ColumnEvidence): Render | { reason: string } {
  const { integers, reals, texts, blobs } = evidence
  const only = (count: number) => integers + reals + texts + blobs === count
  const limit = INTEGERS[type]
  if (limit !== undefined) {
    if (!only(integers)) return { reason: 'not every value is an integer' }
    const fits = integers === 0 || (BigInt(evidence.min ?? 0) >= -limit && BigInt(evidence.max ?? 0) < limit)
    return fits ? 'integer' : { reason: `${evidence.min} … ${evidence.max} is out of range` }
  }
  const length = /^character varying(?:\((\d+)\))?$/.exec(type)
  if (type === 'text' || length) {
    if (blobs > 0) return { reason: 'holds blobs' }
    return length?.[1] === undefined || evidence.maxBytes <= Number(length[1])
      ? 'text'
      : { reason: 'a text may be too long' }
  }
  if (type === 'boolean') {
    const bits =
      only(integers) && [evidence.min, evidence.max].every((value) => value === null || /^[01]$/.test(value))
    return bits ? 'boolean' : { reason: 'holds other values than 0 and 1' }
  }
  if (type === 'double precision')
    return only(integers + reals) ? 'real' : { reason: 'not every value is a number' }
  if (/^numeric(\(\d+,\d+\))?$/.test(type)) {
    return only(integers + reals) ? 'numeric' : { reason: 'not every value is a number' }
  }
  if (type === 'bytea') return only(blobs) ? 'bytes' : { reason: 'not every value is a blob' }
  if (type === 'jsonb' || type === 'json') return only(texts) ? type : { reason: 'not every value is text' }
  if (type === 'uuid') return only(texts) ? 'uuid' : { reason: 'not every value is text' }
  if (type === 'date' || type.startsWith('timestamp')) {
    if (only(0)) return 'time'
    return only(texts) && evidence.shape ? 'time' : { reason: 'not every value is a time of one form' }
  }
  return { reason: 'a type that is not known here' }
}

/** Parents before children; tables in a cycle keep their order. */
export function parentsFirst(tables: PlannedTable[]): PlannedTable[] {
  const left = new Map(tables.map((table) => [table.target, table]))
  const ordered: PlannedTable[] = []
  while (left.size > 0) {
    const ready = [...left.values()].filter((table) =>
      table.foreignKeys.every(
        ({ references }) => references.table === table.target || !left.has(references.table),
      ),
    )
    for (const table of ready.length > 0 ? ready : [...left.values()].slice(0, 1)) {
      ordered.push(table)
      left.delete(table.target)
    }
  }
  return ordered
}
