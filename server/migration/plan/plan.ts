import type { SourceSchema, SourceTable } from '../source/source'
import { createIndex } from '../target/ddl'
import type {
  Choices,
  ColumnEvidence,
  NotCarried,
  Plan,
  PlannedColumn,
  PlannedTable,
  ScanKey,
  TableEvidence,
} from '../types'
import { planChecks } from './checks'
import { type Chosen, checkChoices, type KnownTable, nameAll, readChosen, virtualNames } from './choices'
import { applyChoice, chooseOption } from './choose'
import { translateDefault } from './defaults'
import { planForeignKeys } from './foreign-keys'
import { planGenerated } from './generated'
import { planKeys } from './keys'
import { mapColumn } from './mapping'
import { namer } from './names'
import { planPrograms } from './programs'
import { refuseWideRows } from './row-width'
import { matchWidths } from './widths'

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
      report,
      chosen,
    ),
  )
  matchWidths(tables, readable, (table, column) => chosen.column(table, column).type !== undefined)
  refuseWideRows(tables)
  const bySource = new Map(tables.map((table) => [table.source.toLowerCase(), table]))
  const each = (step: (table: SourceTable, planned: PlannedTable) => void) => {
    for (const table of readable) step(table, bySource.get(table.name.toLowerCase()) as PlannedTable)
  }
  // From here on types are as they will be, and expressions can be translated.
  each((table, planned) => planKeys(table, planned, evidence.get(table.name) as TableEvidence, name, report))
  each((table, planned) => {
    planned.foreignKeys = planForeignKeys(table, planned, bySource, { orphans, chosen, name, report })
  })
  each((table, planned) => {
    planGenerated(table, planned, report)
    planned.checks = planChecks(table, planned, report)
    for (const index of planned.indexes) index.targetSql = createIndex(planned, index, targetSchema)
  })
  const programs = planPrograms(
    schema,
    readable.map((source) => ({
      source,
      planned: bySource.get(source.name.toLowerCase()) as PlannedTable,
    })),
    {
      schema: targetSchema,
      name,
      leftOut: new Set((choices?.leaveOut ?? []).map((one) => one.toLowerCase())),
      report,
    },
  )
  return { source: schema.facts, schema: targetSchema, mode: 'create', tables, ...programs, notCarried }
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
  report: Report,
  chosen: Chosen,
): PlannedTable {
  const columns = planColumns(table, evidence, report, chosen)
  return {
    source: table.name,
    target,
    rows: evidence.rows,
    bytes: evidence.columns.reduce((sum, column) => sum + column.bytes, 0),
    columns,
    primaryKey: null,
    indexes: [],
    foreignKeys: [],
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
    const isKey = table.primaryKey.some((key) => key.name === column.name)
    const planned: PlannedColumn = {
      source: column.name,
      target: targets.get(column.name) as string,
      declaredType: column.declaredType,
      type,
      nullable: !(column.notNull || isKey) || found.nulls > 0,
      evidence: found,
      render,
      ...(options && { options }),
      ...(evidence.samples?.[i] && { samples: evidence.samples[i] }),
      ...(note && { note }),
    }
    const translated = column.defaultSql === null ? null : translateDefault(column.defaultSql, planned)
    if (translated && 'sql' in translated) planned.default = translated.sql
    else if (translated) {
      const reason = translated.reason
      report({ kind: 'default', name: `${table.name}.${column.name}`, reason, sql: column.defaultSql ?? '' })
    }
    return applyChoice(planned, option, choice, column)
  })
}
