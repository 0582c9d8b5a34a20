import type { SourceForeignKey, SourceIndex, SourceSchema, SourceTable } from '../source/source'
import type {
  Choices,
  ColumnEvidence,
  NotCarried,
  Plan,
  PlannedColumn,
  PlannedForeignKey,
  PlannedIdentity,
  PlannedIndex,
  PlannedTable,
  ScanKey,
  TypeOption,
} from '../types'
import { planChecks } from './checks'
import { type Chosen, checkChoices, type KnownTable, nameAll, readChosen, virtualNames } from './choices'
import { applyChoice, chooseOption } from './choose'
import { translateDefault, translatePredicate } from './defaults'
import { mapColumn } from './mapping'
import { namer } from './names'
import { matchWidths } from './widths'

/** What reading the rows of one table found. */
export interface TableEvidence {
  columns: ColumnEvidence[]
  rows: number
  /** Least and greatest rowid, decimal text; null for an empty table or one without rowids. */
  rowids: { min: string; max: string } | null
  /** By column: values to show, and the types to choose from. Absent before the rows were read. */
  samples?: string[][]
  options?: TypeOption[][]
}

type Report = (item: NotCarried) => void

/** The plan for tables that the run creates. Pure: the same schema and evidence give the same plan. */
export function planTables(
  schema: SourceSchema,
  evidence: ReadonlyMap<string, TableEvidence>,
  orphans: ReadonlyMap<string, number>,
  targetSchema: string,
  choices?: Choices,
): Plan {
  const chosen = readChosen(choices)
  checkChoices(knownTables(schema, evidence), choices, virtualNames(schema))
  const name = namer()
  const notCarried = [...schema.notCarried]
  const report: Report = (item) => notCarried.push(item)
  const readable = schema.tables.filter((table) => {
    if (chosen.table(table.name).exclude) {
      report({ kind: 'table', name: table.name, reason: 'Left out by choice.' })
      return false
    }
    if (table.rowidName !== null || table.withoutRowid) return true
    report({
      kind: 'table',
      name: table.name,
      reason: 'Columns named rowid, _rowid_ and oid hide the key to read by.',
    })
    return false
  })
  const targets = nameAll(
    readable.map((table) => ({ name: table.name, target: chosen.table(table.name).target })),
    name,
  )
  const tables = readable.map((table) =>
    planTable(
      table,
      evidence.get(table.name) as TableEvidence,
      targets.get(table.name) as string,
      name,
      report,
      chosen,
    ),
  )
  matchWidths(tables, readable, (table, column) => chosen.column(table, column).type !== undefined)
  const bySource = new Map(tables.map((table) => [table.source.toLowerCase(), table]))
  for (const table of readable) {
    const planned = bySource.get(table.name.toLowerCase()) as PlannedTable
    planned.checks = planChecks(table, planned, report)
    planned.foreignKeys = planForeignKeys(table, planned, bySource, orphans, report, chosen)
  }
  return { source: schema.facts, schema: targetSchema, mode: 'create', tables, notCarried }
}

/** What the choices are checked against. */
function knownTables(schema: SourceSchema, evidence: ReadonlyMap<string, TableEvidence>): KnownTable[] {
  return schema.tables.map(({ name, columns }) => {
    const options = evidence.get(name)?.options
    return {
      name,
      columns: columns.map((column, i) => ({
        name: column.name,
        ...(options?.[i] && { options: options[i] }),
      })),
    }
  })
}

function planTable(
  table: SourceTable,
  evidence: TableEvidence,
  target: string,
  name: (wanted: string) => string,
  report: Report,
  chosen: Chosen,
): PlannedTable {
  const columns = planColumns(table, evidence, report, chosen)
  const targetOf = new Map(columns.map((column) => [column.source.toLowerCase(), column]))
  for (const collation of new Set(table.columns.flatMap((column) => column.collation ?? []))) {
    report({
      kind: 'collation',
      name: table.name,
      reason: `The collation ${collation} is not carried: texts compare by their characters.`,
      sql: table.sql,
    })
  }
  const indexes = table.indexes.flatMap((index) => planIndex(table, index, targetOf, name, report) ?? [])
  const keyNulls = table.primaryKey.some(({ name: key }) => targetOf.get(key.toLowerCase())?.nullable)
  const keyLost = table.primaryKey.find(({ name: key }) => !targetOf.has(key.toLowerCase()))
  let primaryKey = null
  if (keyLost) {
    report({ kind: 'primary key', name: table.name, reason: `Its column ${keyLost.name} is left out.` })
  } else if (table.primaryKey.length > 0) {
    const keyColumns = table.primaryKey.map(
      ({ name: key }) => targetOf.get(key.toLowerCase())?.target as string,
    )
    const constraint = name(`${target}_pkey`)
    if (keyNulls) {
      report({
        kind: 'primary key',
        name: table.name,
        reason: 'Rows with NULL in the key: carried as UNIQUE.',
      })
      indexes.unshift({
        name: constraint,
        unique: true,
        constraint: true,
        columns: keyColumns.map((column) => ({ target: column, descending: false })),
      })
    } else primaryKey = { name: constraint, columns: keyColumns }
  }
  const identity = planIdentity(table, evidence, targetOf)
  return {
    source: table.name,
    target,
    rows: evidence.rows,
    bytes: evidence.columns.reduce((sum, column) => sum + column.bytes, 0),
    columns,
    primaryKey,
    indexes,
    foreignKeys: [],
    ...(identity && { identity }),
    scan: planScan(table, evidence),
    notes:
      target === (chosen.table(table.name).target ?? table.name)
        ? []
        : [`Renamed to ${target}: names have 63 bytes at most.`],
  }
}

export function planScan(table: SourceTable, evidence: TableEvidence): ScanKey {
  if (table.rowidName !== null) {
    return {
      kind: 'rowid',
      name: table.rowidName,
      min: evidence.rowids?.min ?? '0',
      max: evidence.rowids?.max ?? '0',
    }
  }
  const descending = table.primaryKey.every((column) => column.descending)
  return { kind: 'key', columns: table.primaryKey.map((column) => column.name), descending }
}

function planColumns(
  table: SourceTable,
  evidence: TableEvidence,
  report: Report,
  chosen: Chosen,
): PlannedColumn[] {
  const carried = table.columns.filter((column) => {
    if (!chosen.column(table.name, column.name).exclude) return true
    report({ kind: 'column', name: `${table.name}.${column.name}`, reason: 'Left out by choice.' })
    return false
  })
  const targets = nameAll(
    carried.map(({ name }) => ({ name, target: chosen.column(table.name, name).target })),
  )
  return carried.map((column) => {
    const i = table.columns.indexOf(column)
    const choice = chosen.column(table.name, column.name)
    const found = evidence.columns[i] as ColumnEvidence
    const options = evidence.options?.[i]
    const option = chooseOption(options, choice.type)
    const { type, render, note } = option ?? mapColumn(column.declaredType, found)
    if (column.generated) {
      report({
        kind: 'generated column',
        name: `${table.name}.${column.name}`,
        reason: 'Carried as an ordinary column with its present values.',
        sql: table.sql,
      })
    }
    const translated =
      column.defaultSql === null ? null : translateDefault(column.defaultSql, type, column.declaredType)
    if (translated && 'reason' in translated) {
      report({
        kind: 'default',
        name: `${table.name}.${column.name}`,
        reason: translated.reason,
        sql: column.defaultSql as string,
      })
    }
    const isKey = table.primaryKey.some((key) => key.name === column.name)
    const planned = {
      source: column.name,
      target: targets.get(column.name) as string,
      declaredType: column.declaredType,
      type,
      nullable: !(column.notNull || isKey) || found.nulls > 0,
      ...(translated && 'sql' in translated && { default: translated.sql }),
      evidence: found,
      render,
      ...(options && { options }),
      ...(evidence.samples?.[i] && { samples: evidence.samples[i] }),
      ...(note && { note }),
    }
    return applyChoice(planned, option, choice, column)
  })
}

/** A rowid alias gives out values by itself; its sequence goes on after the greatest ever given. */
function planIdentity(
  table: SourceTable,
  evidence: TableEvidence,
  targetOf: ReadonlyMap<string, PlannedColumn>,
): PlannedIdentity | undefined {
  const alias = targetOf.get(table.rowidAlias?.toLowerCase() ?? '')
  if (alias?.render !== 'integer') return undefined
  const seen = [table.sequence, evidence.rowids?.max ?? null].filter((value) => value !== null).map(BigInt)
  const last = seen.length === 0 ? null : seen.reduce((a, b) => (a > b ? a : b)).toString()
  return { column: alias.target, last }
}

function planIndex(
  table: SourceTable,
  index: SourceIndex,
  targetOf: ReadonlyMap<string, PlannedColumn>,
  name: (wanted: string) => string,
  report: Report,
): PlannedIndex | null {
  if (index.origin === 'pk') return null
  const refuse = (reason: string) => {
    report({ kind: 'index', name: index.name, reason, ...(index.sql && { sql: index.sql }) })
    return null
  }
  if (index.columns.some((column) => column.name === null))
    return refuse('Expressions in an index are not translated.')
  const lost = index.columns.find((column) => !targetOf.has((column.name as string).toLowerCase()))
  if (lost) return refuse(`Its column ${lost.name} is left out.`)
  const columns = index.columns.map((column) => ({
    target: targetOf.get((column.name as string).toLowerCase())?.target as string,
    descending: column.descending,
  }))
  const foreign = index.columns.find((column) => column.collation.toUpperCase() !== 'BINARY')
  if (foreign) {
    const weaker = index.unique ? 'unique by its characters' : 'ordered by the database’s collation'
    report({ kind: 'collation', name: index.name, reason: `${foreign.collation} is not carried: ${weaker}.` })
  }
  let where: string | undefined
  if (index.partial) {
    const text = /\bWHERE\b([\s\S]*)$/i.exec(afterColumns(index.sql ?? ''))?.[1]?.trim() ?? ''
    const translated = translatePredicate(text, targetOf)
    if ('reason' in translated) return refuse(translated.reason)
    where = translated.sql
  }
  const constraint = index.origin === 'u'
  const wanted = constraint
    ? `${table.name}_${index.columns.map((column) => column.name).join('_')}_key`
    : index.name
  return {
    name: name(wanted),
    unique: index.unique,
    constraint,
    columns: constraint ? columns.map(({ target }) => ({ target, descending: false })) : columns,
    ...(where && { where }),
  }
}

/** The text after the column list, so that a WHERE in a name doesn't mislead. */
function afterColumns(sql: string): string {
  return sql.slice(sql.indexOf('('))
}

function planForeignKeys(
  table: SourceTable,
  planned: PlannedTable,
  tables: ReadonlyMap<string, PlannedTable>,
  orphans: ReadonlyMap<string, number>,
  report: Report,
  chosen: Chosen,
): PlannedForeignKey[] {
  const name = namer()
  return table.foreignKeys.flatMap((key, i) => {
    const lost = key.columns.find((column) => chosen.column(table.name, column).exclude)
    const result = chosen.table(key.table).exclude
      ? `The table ${key.table} is left out.`
      : lost
        ? `Its column ${lost} is left out.`
        : planForeignKey(key, planned, tables, name)
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
): PlannedForeignKey | string {
  const parent = tables.get(key.table.toLowerCase())
  if (!parent) return `The table ${key.table} is not there.`
  const find = (table: PlannedTable, column: string) =>
    table.columns.find((one) => one.source.toLowerCase() === column.toLowerCase())
  const children = key.columns.map((column) => find(planned, column))
  const parents = key.references
    ? key.references.map((column) => find(parent, column))
    : (parent.primaryKey?.columns ?? []).map((column) => parent.columns.find((one) => one.target === column))
  if (children.length !== parents.length || parents.some((column) => !column)) {
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
  if (!isUnique(parent, references)) return `(${references.join(', ')}) is not unique in ${parent.source}.`
  return {
    name: name(`${planned.target}_${children.map((column) => column?.target).join('_')}_fkey`),
    columns: children.map((column) => column?.target as string),
    references: { table: parent.target, columns: references },
    onDelete: key.onDelete,
    onUpdate: key.onUpdate,
    deferred: key.deferred,
    orphans: 0,
  }
}

function isUnique(table: PlannedTable, columns: string[]): boolean {
  const same = (other: string[]) =>
    other.length === columns.length && columns.every((column) => other.includes(column))
  if (table.primaryKey && same(table.primaryKey.columns)) return true
  return table.indexes.some(
    (index) => index.unique && !index.where && same(index.columns.map(({ target }) => target)),
  )
}
