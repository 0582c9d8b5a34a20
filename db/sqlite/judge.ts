import type BetterSqlite3 from 'better-sqlite3'
import type { Value } from './protocol'

interface Schema {
  version: unknown
  tables: Set<string>
  /** The table of an index, and how many columns make it unique; null when it is not. */
  indexes: Map<string, { table: string; unique: number | null }>
}

/** Looking at so many rows takes a few milliseconds at most. */
const FEW_ROWS = 2_000

/**
 * Tells from its plan whether a read looks at few rows, whatever its parameters are: every step finds one row
 * by a unique key, or the tables it goes through are small. In doubt it does not.
 */
export class Judge {
  readonly #client: BetterSqlite3.Database
  readonly #prepare: (sql: string) => BetterSqlite3.Statement
  #schema: Schema | undefined
  readonly #sizes = new Map<string, BetterSqlite3.Statement>()

  /** @param prepare the handle's own, past anything that counts statements. */
  constructor(client: BetterSqlite3.Database, prepare: (sql: string) => BetterSqlite3.Statement) {
    this.#client = client
    this.#prepare = prepare
  }

  looksAtFewRows(sql: string, params: readonly Value[]): boolean {
    if (!/^\s*\(?\s*(?:select|with|values)\b/i.test(sql)) return false
    try {
      const plan = this.#prepare(`EXPLAIN QUERY PLAN ${sql}`).raw(false).all(params) as { detail: string }[]
      // A list is gone through once for each value in it.
      let rows = /\bin\s*\(/i.test(sql) ? Math.max(1, params.length) : 1
      const made = new Set<string>()
      for (const { detail } of plan) {
        const name = /^(?:CO-ROUTINE|MATERIALIZE) (\S+)$/.exec(detail)?.[1]
        if (name) made.add(name)
        rows *= this.#rowsOf(detail, made)
        if (rows > FEW_ROWS) return false
      }
      return true
    } catch {
      return false
    }
  }

  /** How many rows one step goes through each time, at most. */
  #rowsOf(detail: string, made: Set<string>): number {
    if (/RECURSIVE/.test(detail)) return Infinity
    const [, how, name = ''] = /^(SCAN|SEARCH) (\S+)/.exec(detail) ?? []
    if (!how || detail === 'SCAN CONSTANT ROW' || made.has(name)) return 1
    const { indexes, tables } = this.#read()
    const [, key, index, terms = ''] =
      / USING (?:COVERING )?(INTEGER PRIMARY KEY|INDEX (\S+))(?: \((.*)\))?/.exec(detail) ?? []
    const known = index ? indexes.get(index) : undefined
    const columns = key === 'INTEGER PRIMARY KEY' ? 1 : known?.unique
    if (columns && terms.split('=?').length > columns && !/[<>]/.test(terms)) return 1
    // A name may be an alias; then only an index tells the table.
    const table = known?.table ?? (tables.has(name) ? name : undefined)
    return table === undefined ? Infinity : this.#sizeOf(table)
  }

  /** At least as many as there are rows, and quick: rows that are gone count, too. */
  #sizeOf(table: string): number {
    let size = this.#sizes.get(table)
    if (!size) {
      size = this.#prepare(`SELECT max(rowid) FROM "${table.replaceAll('"', '""')}"`).pluck()
      this.#sizes.set(table, size)
    }
    return Math.max(1, Number(size.get() ?? 0))
  }

  #read(): Schema {
    const version = this.#client.pragma('schema_version', { simple: true })
    if (this.#schema && this.#schema.version === version) return this.#schema
    this.#sizes.clear()
    const tables = this.#prepare(`SELECT name FROM sqlite_schema WHERE type = 'table'`).pluck().all()
    const indexes = this.#prepare(`
      SELECT i.name, t.name AS "table",
             iif(i."unique", (SELECT count(*) FROM pragma_index_info(i.name)), NULL) AS "unique"
        FROM sqlite_schema t, pragma_index_list(t.name) i
       WHERE t.type = 'table'`).all() as { name: string; table: string; unique: number | null }[]
    const schema = {
      version,
      tables: new Set(tables as string[]),
      indexes: new Map(indexes.map(({ name, ...index }) => [name, index])),
    }
    this.#schema = schema
    return schema
  }
}
