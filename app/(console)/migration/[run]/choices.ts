import type { Choices } from '@/components/migration/types'

type TableChoice = NonNullable<Choices['tables']>[string]
type ColumnChoice = NonNullable<TableChoice['columns']>[string]

export const noChoices: Choices = { version: 1 }

export const tableChoice = (choices: Choices, table: string): TableChoice => choices.tables?.[table] ?? {}

export const columnChoice = (choices: Choices, table: string, column: string): ColumnChoice =>
  tableChoice(choices, table).columns?.[column] ?? {}

/** The choices with some of a table's changed; undefined takes one back. */
export function withTable(choices: Choices, table: string, change: Partial<TableChoice>): Choices {
  return { ...choices, tables: put(choices.tables, table, { ...tableChoice(choices, table), ...change }) }
}

/** The choices with some of a column's changed; undefined takes one back. */
export function withColumn(
  choices: Choices,
  table: string,
  column: string,
  change: Partial<ColumnChoice>,
): Choices {
  const { columns } = tableChoice(choices, table)
  const next = put(columns, column, { ...columnChoice(choices, table, column), ...change })
  return withTable(choices, table, { columns: next })
}

/** A view or trigger is left out, or not. */
export function withLeftOut(choices: Choices, name: string, left: boolean): Choices {
  const others = (choices.leaveOut ?? []).filter((other) => other !== name)
  const leaveOut = left ? [...others, name] : others
  return { ...choices, leaveOut: leaveOut.length > 0 ? leaveOut : undefined }
}

/** Without what was taken back, so that two ways to the same choices are equal. */
function put<T extends object>(
  all: Record<string, T> | undefined,
  name: string,
  value: T,
): Record<string, T> | undefined {
  const { [name]: _, ...others } = all ?? {}
  const kept = Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T
  const next = Object.keys(kept).length > 0 ? { ...others, [name]: kept } : others
  return Object.keys(next).length > 0 ? next : undefined
}

/** Names of what is left out: tables, or columns of one. */
export function excludedOf(all: Record<string, { exclude?: true }> | undefined): string[] {
  return Object.entries(all ?? {})
    .filter(([, { exclude }]) => exclude)
    .map(([name]) => name)
}

/** Whether both ask for the same. */
export const areSame = (a: Choices, b: Choices): boolean => canonical(a) === canonical(b)

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}
