import type { Plan, PlannedColumn, PlannedTable } from '../types'

/** A plan as lines: what an admin must know, and with `mapping` what becomes of each column. */
export function planText({ tables, notCarried }: Plan, { mapping = false }): string[] {
  const rows = tables.reduce((sum, table) => sum + table.rows, 0)
  return [
    `${tables.length} tables, ${count(rows)} rows`,
    ...tables.flatMap((table) => (mapping ? mappingText(table) : notesText(table))),
    ...notCarried.map((item) => `  – ${item.kind} ${item.name}: ${item.reason}`),
  ]
}

function notesText(table: PlannedTable): string[] {
  return table.columns.flatMap(({ source, note }) => (note ? [`  ! ${table.source}.${source}: ${note}`] : []))
}

function mappingText({ source, target, rows, columns, notes }: PlannedTable): string[] {
  const wide = (key: 'source' | 'declaredType') => Math.max(...columns.map((column) => column[key].length))
  const [names, types] = [wide('source'), wide('declaredType')]
  return [
    '',
    `${source === target ? source : `${source} → ${target}`}: ${count(rows)} rows`,
    ...columns.flatMap((column) => [
      `  ${column.source.padEnd(names)}  ${column.declaredType.padEnd(types)}  → ${becomes(column)}`,
      ...(column.note ? [`    ! ${column.note}`] : []),
    ]),
    ...notes.map((note) => `  ! ${note}`),
  ]
}

function becomes({ source, target, type, nullable, options = [] }: PlannedColumn): string {
  const others = options
    .filter((option) => option.type !== type)
    .map((option) =>
      option.refused > 0 ? `${option.type} (${count(option.refused)} would be refused)` : option.type,
    )
  const name = source === target ? '' : `${target} `
  return `${name}${type}${nullable ? '' : ' NOT NULL'}${others.length > 0 ? `, or ${others.join(', ')}` : ''}`
}

const count = (value: number) => value.toLocaleString('en')
