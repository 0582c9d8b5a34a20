import type Database from 'better-sqlite3'
import type { PlannedColumn, PlannedTable } from '../types'

/** A table whose writes are noted. Its number in the plan names its triggers and its table of keys. */
export interface Watched {
  table: PlannedTable
  number: number
  /**
   * The columns of its primary key, by which single rows are brought over. Null: it has none in the target, or a
   * unique index over expressions, whose conflicts can't be foreseen; then the whole table is carried anew.
   */
  key: PlannedColumn[] | null
  /** Its unique indexes other than the key: REPLACE removes the rows that conflict there without firing a trigger. */
  uniques: { columns: { name: string; collation: string }[]; where: string | null }[]
}

/** What is noted of each table of a plan. */
export function watchedTables(db: Database.Database, tables: readonly PlannedTable[]): Watched[] {
  return tables.map((table, number) => {
    const { uniques, foreseeable } = uniqueIndexes(db, table.source)
    const key = (table.primaryKey?.columns ?? []).map((name) =>
      table.columns.find((column) => column.target === name),
    )
    const whole = key.length === 0 || !foreseeable || key.some((column) => !column || column.generated)
    return { table, number, key: whole ? null : (key as PlannedColumn[]), uniques }
  })
}

function uniqueIndexes(db: Database.Database, table: string) {
  const indexes = db
    .prepare(
      `SELECT l.name, l.origin, s.sql FROM pragma_index_list(?) AS l
       LEFT JOIN sqlite_schema AS s ON s.type = 'index' AND s.name = l.name WHERE l."unique"`,
    )
    .all(table) as { name: string; origin: string; sql: string | null }[]
  const columns = db.prepare('SELECT cid, name, coll AS collation FROM pragma_index_xinfo(?) WHERE key')
  let foreseeable = true
  const uniques = indexes.flatMap((index) => {
    const found = columns.all(index.name) as { cid: number; name: string; collation: string }[]
    // A conflict of the key is one with the same key, unless its collation takes other texts for it.
    if (index.origin === 'pk' && found.every(({ collation }) => collation === 'BINARY')) return []
    foreseeable &&= found.every(({ cid }) => cid >= 0)
    const where = index.sql && / where /i.test(index.sql.replace(/\s+/g, ' ')) ? predicateOf(index.sql) : null
    return [{ columns: found.map(({ name, collation }) => ({ name, collation })), where }]
  })
  return { uniques, foreseeable }
}

/** The condition of a partial index: what follows its list of columns. */
function predicateOf(sql: string): string | null {
  let depth = 0
  let quote = ''
  for (let at = 0; at < sql.length; at++) {
    const one = sql[at] as string
    if (quote) {
      if (one === quote) quote = ''
    } else if (one === '[') quote = ']'
    else if (`'"\``.includes(one)) quote = one
    else if (one === '(') depth++
    else if (one === ')' && --depth === 0) {
      const match = /^\s*where\b(.*)$/is.exec(sql.slice(at + 1))
      return match?.[1]?.trim() ?? null
    }
  }
  return null
}
