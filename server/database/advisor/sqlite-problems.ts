import type BetterSqlite3 from 'better-sqlite3'
import { quoteName } from './normalise'
import type { IndexProblem } from './problems'
import { readSqliteTable, type SqliteTable } from './sqlite-copy'
import type { ExistingIndex } from './types'

/** Tables of this few rows need no index for a foreign key, and no statistics. */
const FEW_ROWS = 500

/** Duplicate and redundant indexes, foreign keys without one, and tables that were never analysed, of a SQLite file. */
export function findSqliteIndexProblems(source: BetterSqlite3.Database): IndexProblem[] {
  const names = source
    .prepare(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
    )
    .pluck()
    .all() as string[]
  return names.flatMap((name) => {
    const table = readSqliteTable(source, name)
    return table
      ? [...overlaps(source, table), ...foreignKeys(source, table), ...neverAnalysed(source, table)]
      : []
  })
}

function overlaps(source: BetterSqlite3.Database, table: SqliteTable): IndexProblem[] {
  const found: IndexProblem[] = []
  const gone = new Set<ExistingIndex>()
  const definition = (index: ExistingIndex): string | null =>
    (source.prepare('SELECT sql FROM sqlite_master WHERE name = ?').pluck().get(index.name) as
      | string
      | null
      | undefined) ?? null
  for (const index of table.indexes) {
    const ddl = definition(index)
    // One that a constraint made cannot be dropped; of keys with an order or a collation of their own nothing is said.
    if (!ddl || index.unique || isSpecial(ddl)) continue
    const better = table.indexes.find(
      (other) =>
        other !== index &&
        !gone.has(other) &&
        other.where === index.where &&
        !isSpecial(definition(other) ?? '') &&
        index.keys.every((key, at) => key !== '(expression)' && other.keys[at] === key),
    )
    if (!better) continue
    gone.add(index)
    const equal = better.keys.length === index.keys.length
    found.push({
      kind: equal ? 'duplicate' : 'redundant',
      place: table.name,
      index: index.name,
      because: equal
        ? `${index.name} is the same as ${better.name}: every write keeps both up.`
        : `${better.name} begins with the columns of ${index.name} and serves the same queries.`,
      bytes: 0,
      ddl: `DROP INDEX ${quoteName(index.name)}`,
      undo: ddl,
    })
  }
  return found
}

const isSpecial = (ddl: string): boolean => /\b(COLLATE|DESC)\b/i.test(ddl)

function foreignKeys(source: BetterSqlite3.Database, table: SqliteTable): IndexProblem[] {
  if (table.rows <= FEW_ROWS) return []
  const list = source.pragma(`foreign_key_list(${quoteName(table.name)})`) as {
    id: number
    seq: number
    table: string
    from: string
  }[]
  const keys = grouped(list)
  return [...keys.values()].flatMap((parts) => {
    const columns = [...parts].sort((a, b) => a.seq - b.seq).map(({ from }) => from)
    const served = table.indexes.some(
      ({ keys: held, where }) =>
        where === null && columns.every((column) => held.slice(0, columns.length).includes(column)),
    )
    if (served) return []
    const name = `${table.name}_${columns.join('_')}_fkey`
    return [
      {
        kind: 'foreign-key' as const,
        place: table.name,
        index: null,
        because: `The foreign key to ${parts[0]?.table} has no index: whoever deletes there reads all of ${table.name} for each row.`,
        bytes: 0,
        ddl: `CREATE INDEX ${quoteName(name)} ON ${quoteName(table.name)} (${columns.map(quoteName).join(', ')})`,
        undo: `DROP INDEX ${quoteName(name)}`,
      },
    ]
  })
}

function grouped<T extends { id: number }>(items: T[]): Map<number, T[]> {
  const groups = new Map<number, T[]>()
  for (const item of items) groups.set(item.id, [...(groups.get(item.id) ?? []), item])
  return groups
}

function neverAnalysed(source: BetterSqlite3.Database, table: SqliteTable): IndexProblem[] {
  if (table.rows <= FEW_ROWS || table.indexes.length === 0) return []
  const has = source.prepare("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'").get()
  if (has && source.prepare('SELECT 1 FROM sqlite_stat1 WHERE tbl = ?').get(table.name)) return []
  return [
    {
      kind: 'stale-statistics',
      place: table.name,
      index: null,
      because: `${table.name} was never analysed: SQLite takes every index for equally selective.`,
      bytes: 0,
      ddl: `ANALYZE ${quoteName(table.name)}`,
      undo: null,
    },
  ]
}
