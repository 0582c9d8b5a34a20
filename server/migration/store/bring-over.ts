import { isDeepStrictEqual } from 'node:util'
import type BetterSqlite3 from 'better-sqlite3'
import { count, getTableColumns, getTableName, inArray, sql } from 'drizzle-orm'
import { columnName } from '@/db/columns'
import { databaseCode } from '@/db/errors'
import type { StoreHandle } from '@/db/open'
import type { Tables } from '@/db/tables'
import { q, unit } from '@/db/unit'
import { HoldfastError } from '@/server/errors'
import { type Change, countChanges, forgetChanges, readChanges } from './capture'
import type { SqliteSide } from './own-store'

type TableName = keyof Tables
type AnyRow = Record<string, unknown>

export interface Sides {
  /** The store that is being left, and its driver's handle, in which changes are noted. */
  from: StoreHandle
  client: BetterSqlite3.Database
  alone: SqliteSide['alone']
  to: StoreHandle
}

const BATCH = 500

/**
 * Brings every noted change over, in batches of one transaction each, and reads each row back on the other
 * side. Deletions go first, children before parents; then what is there, parents before children. With writes
 * going on (`held` false) a row may lean on one that comes next: such a batch is left for later.
 * Answers the number of keys that were brought over.
 */
export async function bringOver(sides: Sides, { held }: { held: boolean }): Promise<number> {
  const parentsFirst = parentsFirstOrder(sides)
  let arrived = 0
  for (const phase of ['gone', 'there'] as const) {
    const order = phase === 'gone' ? [...parentsFirst].reverse() : parentsFirst
    for (const name of order) {
      try {
        arrived += await bringTableOver(sides, name, phase)
      } catch (error) {
        if (held || !LEANS.has(databaseCode(error) ?? '')) throw error
      }
    }
  }
  return arrived
}

/** Foreign key and unique violations (PostgreSQL manual, appendix A). */
const LEANS = new Set(['23503', '23505'])

async function bringTableOver(sides: Sides, name: TableName, phase: 'gone' | 'there'): Promise<number> {
  const { from, client, alone, to } = sides
  const table = from.tables[name]
  const key = keyOf(from.tables, name)
  let arrived = 0
  let after = 0
  for (;;) {
    const changes = readChanges(client, getTableName(table), after, BATCH)
    const last = changes.at(-1)
    if (!last) return arrived
    after = last.seq
    const rows = (await from.db
      .select()
      .from(table)
      .where(
        inArray(
          key.column,
          changes.map((change) => change.key),
        ),
      )) as AnyRow[]
    const there = new Set(rows.map((row) => row[key.property]))
    const mine = changes.filter((change) => there.has(change.key) === (phase === 'there'))
    if (mine.length === 0) continue
    if (phase === 'there') await to.run(putRows, { name, rows })
    else await to.run(removeRows, { name, keys: mine.map((change) => change.key) })
    await alone((writable) => forgetChanges(writable, mine))
    arrived += mine.length
  }
}

/** Puts rows in, whether they were there or not, and reads them back: every value must be the same. */
const putRows = unit(
  'switchover.putRows',
  function* (tx, { name, rows }: { name: TableName; rows: AnyRow[] }) {
    const table = tx.tables[name]
    const key = keyOf(tx.tables, name)
    const others = Object.entries(getTableColumns(table)).filter(([property]) => property !== key.property)
    const insert = tx.db.insert(table).values(rows as never)
    yield* q(
      others.length === 0
        ? insert.onConflictDoNothing()
        : insert.onConflictDoUpdate({
            target: key.column,
            set: Object.fromEntries(
              others.map(([property, column]) => [
                property,
                sql`excluded.${sql.identifier(columnName(column.name))}`,
              ]),
            ) as never,
          }),
    )
    const keys = rows.map((row) => row[key.property])
    const kept = (yield* q(tx.db.select().from(table).where(inArray(key.column, keys)))) as AnyRow[]
    const byKey = new Map(kept.map((row) => [row[key.property], row]))
    for (const row of rows) {
      if (isDeepStrictEqual(byKey.get(row[key.property]), row)) continue
      throw differs(getTableName(table), `the row ${String(row[key.property])} is not the same on both sides`)
    }
  },
)

const removeRows = unit(
  'switchover.removeRows',
  function* (tx, { name, keys }: { name: TableName; keys: Change['key'][] }) {
    yield* q(tx.db.delete(tx.tables[name]).where(inArray(keyOf(tx.tables, name).column, keys)))
  },
)

/** Under held writes: nothing is left to bring over, and every table has as many rows on both sides. */
export async function lastCheck({ from, client, to }: Sides): Promise<void> {
  const left = countChanges(client)
  if (left > 0) throw differs('the store', `${left} changes did not arrive`)
  for (const name of Object.keys(from.tables) as TableName[]) {
    const [here, there] = await Promise.all(
      [from, to].map(async ({ db, tables }) => {
        const [row] = await db.select({ rows: count() }).from(tables[name])
        return Number(row?.rows)
      }),
    )
    if (here !== there) {
      throw differs(getTableName(from.tables[name]), `${here} rows in SQLite, ${there} in PostgreSQL`)
    }
  }
}

function differs(table: string, what: string): HoldfastError {
  return new HoldfastError('CHECK_FAILED', {
    message: `The last check failed for ${table}: ${what}.`,
    remedy: 'Nothing was moved. Cancel the run and start a new one.',
  })
}

function keyOf(tables: Tables, name: TableName) {
  const [property, column] =
    Object.entries(getTableColumns(tables[name])).find(([, candidate]) => candidate.primary) ?? []
  if (!property || !column) throw new Error(`The table ${name} has no primary key.`)
  return { property, column }
}

/** Tables in an order in which every foreign key points back. The store has no circles. */
function parentsFirstOrder({ from, client }: Sides): TableName[] {
  const names = Object.keys(from.tables) as TableName[]
  const byTable = new Map<string, TableName>(names.map((name) => [getTableName(from.tables[name]), name]))
  const order = new Set<TableName>()
  const visit = (name: TableName) => {
    if (order.has(name)) return
    const parents = client
      .prepare('SELECT DISTINCT "table" FROM pragma_foreign_key_list(?)')
      .pluck()
      .all(getTableName(from.tables[name])) as string[]
    for (const parent of parents) {
      const parentName = byTable.get(parent)
      if (parentName && parentName !== name) visit(parentName)
    }
    order.add(name)
  }
  names.forEach(visit)
  return [...order]
}
