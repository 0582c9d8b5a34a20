import { HoldfastError } from '@/server/errors'
import { MigrationError } from '../failure'
import type { SourceSchema } from '../source/source'
import type { Choices, ColumnChoice, KeptEvidence, TableChoice, TypeOption } from '../types'
import { namer } from './names'

/** Choices by the source's names, which differ from others by more than their case. */
export interface Chosen {
  table(name: string): TableChoice
  column(table: string, name: string): ColumnChoice
}

const fold = <T>(items: Record<string, T> = {}) =>
  new Map(Object.entries(items).map(([name, item]) => [name.toLowerCase(), item]))

export function readChosen(choices: Choices | undefined): Chosen {
  const tables = fold(choices?.tables)
  const columns = new Map([...tables].map(([name, table]) => [name, fold(table.columns)]))
  return {
    table: (name) => tables.get(name.toLowerCase()) ?? {},
    column: (table, name) => columns.get(table.toLowerCase())?.get(name.toLowerCase()) ?? {},
  }
}

/** What choices are checked against: names, and the types on offer where the rows were read. */
export interface KnownTable {
  name: string
  columns: { name: string; options?: readonly Pick<TypeOption, 'type'>[] }[]
}

/** Throws CHOICES_INVALID with all that names nothing, collides or isn't offered. */
export function checkChoices(
  tables: readonly KnownTable[],
  choices: Choices | undefined,
  virtual: readonly string[] = [],
): void {
  if (!choices) return
  const problems: string[] = []
  const chosen = readChosen(choices)
  const known = new Map(tables.map((table) => [table.name.toLowerCase(), table]))
  for (const [name, choice] of Object.entries(choices.tables ?? {})) {
    const table = known.get(name.toLowerCase())
    if (table) problems.push(...checkTable(table, choice, chosen))
    else if (!virtual.some((one) => one.toLowerCase() === name.toLowerCase()))
      problems.push(`the source has no table ${name}`)
  }
  const carried = tables.filter((table) => !chosen.table(table.name).exclude)
  if (tables.length > 0 && carried.length === 0) problems.push('every table is left out')
  const names = carried.map(({ name }) => ({ name, target: chosen.table(name).target }))
  problems.push(...collisions(names).map((name) => `two tables would be named ${name}`))
  if (problems.length > 0) throw invalidChoices(problems)
}

function checkTable(table: KnownTable, choice: TableChoice, chosen: Chosen): string[] {
  const problems: string[] = []
  const known = new Map(table.columns.map((column) => [column.name.toLowerCase(), column]))
  for (const [name, { type }] of Object.entries(choice.columns ?? {})) {
    const column = known.get(name.toLowerCase())
    if (!column) problems.push(`${table.name} has no column ${name}`)
    else if (type && column.options && !column.options.some((option) => option.type === type)) {
      const offered = column.options.map((option) => option.type).join(', ')
      problems.push(`${table.name}.${name} can’t become ${type}, only ${offered}`)
    }
  }
  if (choice.exclude) return problems
  const carried = table.columns.filter(({ name }) => !chosen.column(table.name, name).exclude)
  if (carried.length === 0)
    problems.push(`every column of ${table.name} is left out (leave the table out instead)`)
  const names = carried.map(({ name }) => ({ name, target: chosen.column(table.name, name).target }))
  problems.push(...collisions(names).map((name) => `two columns of ${table.name} would be named ${name}`))
  return problems
}

/** Chosen names that another table or column has, by choice or by its own name. */
function collisions(items: readonly { name: string; target?: string }[]): string[] {
  const names = items.map(({ name, target }) => target ?? name)
  const chosen = new Set(items.flatMap(({ target }) => target ?? []))
  return [...chosen].filter((name) => names.indexOf(name) !== names.lastIndexOf(name))
}

/** Target names by source name: chosen ones first, so that only others make way. */
export function nameAll(
  items: readonly { name: string; target?: string }[],
  name: (wanted: string) => string = namer(),
): Map<string, string> {
  const chosen = items.filter(({ target }) => target !== undefined)
  const others = items.filter(({ target }) => target === undefined)
  const named = [...chosen, ...others].map((item) => [item.name, name(item.target ?? item.name)] as const)
  return new Map(named)
}

/** Choices of names and exclusions alone: before the rows were read, no types are on offer. */
export function withoutTypes(choices: Choices | undefined): Choices | undefined {
  if (!choices?.tables) return choices
  const tables = Object.entries(choices.tables).map(([name, table]) => {
    const columns = Object.entries(table.columns ?? {}).map(([column, { type: _, nulls: __, ...rest }]) => [
      column,
      rest,
    ])
    return [name, { ...table, columns: Object.fromEntries(columns) }]
  })
  return { ...choices, tables: Object.fromEntries(tables) }
}

/** Names of virtual tables, which may be chosen to be carried as plain ones. */
export function virtualNames(schema: SourceSchema): string[] {
  return schema.notCarried.filter(({ kind }) => kind === 'virtual table').map(({ name }) => name)
}

/** Names of the virtual tables that are to be carried as plain ones. */
export function plainTables(choices: Choices | undefined): string[] {
  return Object.entries(choices?.tables ?? {}).flatMap(([name, { plain }]) => (plain ? [name] : []))
}

/** The tables and columns that are not left out. */
export function columnsLeft(
  schema: Pick<SourceSchema, 'tables'>,
  choices: Choices | undefined,
): { name: string; columns: string[] }[] {
  const chosen = readChosen(choices)
  return schema.tables
    .filter(({ name }) => !chosen.table(name).exclude)
    .map(({ name, columns }) => ({
      name,
      columns: columns.map((column) => column.name).filter((column) => !chosen.column(name, column).exclude),
    }))
}

/** All problems in one error, the first eight in full. */
export function invalidChoices(problems: readonly string[]): MigrationError {
  const more = problems.length > 8 ? `; and ${problems.length - 8} more` : ''
  return new MigrationError(
    'CHOICES_INVALID',
    `These choices can’t be followed: ${problems.slice(0, 8).join('; ')}${more}.`,
    'Correct them: tables and columns go by their names in the source, types by what the plan offers.',
  )
}

/** Refuses choices by what an earlier plan found, so that whoever chose hears it at once. Throws BAD_INPUT. */
export function refuseChoices(kept: KeptEvidence, choices: Choices): void {
  const tables = Object.entries(kept.tables).map(([name, { names, options }]) => ({
    name,
    columns: names.map((column, i) => ({ name: column, ...(options?.[i] && { options: options[i] }) })),
  }))
  try {
    checkChoices(tables, choices, kept.virtual)
  } catch (error) {
    const { message, remedy } = error as MigrationError
    throw new HoldfastError('BAD_INPUT', { message, remedy }, { cause: error })
  }
}
