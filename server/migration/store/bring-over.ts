import { isDeepStrictEqual } from 'node:util'
import { count, getTableColumns, getTableName, inArray, ne, sql } from 'drizzle-orm'
import { getTableConfig } from 'drizzle-orm/pg-core'
import { columnName } from '@/db/columns'
import { databaseCode, isUniqueViolation } from '@/db/errors'
import type { StoreHandle } from '@/db/open'
import { RETIRED } from '@/db/retired'
import { tables as pgTables } from '@/db/schema/pg'
import type { Tables } from '@/db/tables'
import { q, unit } from '@/db/unit'
import { HoldfastError } from '@/server/errors'
import type { Change, ChangeLog } from './change-log'

type TableName = keyof Tables
type AnyRow = Record<string, unknown>

/** A store that is being left, what was written to it, and the one that takes its place. */
export interface Sides {
  from: StoreHandle
  log: ChangeLog
  to: StoreHandle
  /** Makes what has arrived durable, before it is forgotten where it came from. */
  flush?(): Promise<void>
}

const BATCH = 500
const NAMES = Object.keys(pgTables) as TableName[]

/**
 * Brings every noted change over, in batches of one transaction each, and reads each row back on the other
 * side. Deletions go first, children before parents; then what is there, parents before children. With writes
 * going on (`held` false) a row may lean on one that comes next: such a row is left for later.
 * Answers the number of keys that were brought over.
 */
export async function bringOver(sides: Sides, { held }: { held: boolean }): Promise<number> {
  // What comes meanwhile is left for the next round: a row that is written all the time would never be done.
  const { tables, upTo } = await sides.log.noted()
  const parentsFirst = parentsFirstOrder.filter((name) => tables.has(getTableName(pgTables[name])))
  let arrived = 0
  for (const phase of ['gone', 'there'] as const) {
    const order = phase === 'gone' ? [...parentsFirst].reverse() : parentsFirst
    for (const name of order) arrived += await bringTableOver(sides, { name, phase, upTo, held })
  }
  return arrived
}

async function bringTableOver(
  sides: Sides,
  { name, phase, upTo, held }: { name: TableName; phase: 'gone' | 'there'; upTo: number; held: boolean },
): Promise<number> {
  const { from, log, to } = sides
  const table = getTableName(from.tables[name])
  const { property, column } = keyOf(from.tables, name)
  const keyFrom = (noted: Change['key']) => (column.dataType === 'number' ? Number(noted) : noted)
  let arrived = 0
  let after: Change | null = null
  for (;;) {
    const changes: Change[] = await log.read(table, { after, upTo }, BATCH)
    after = changes.at(-1) ?? null
    if (!after) return arrived
    const keys = changes.map(({ key }) => keyFrom(key))
    const rows = (await from.db.select().from(from.tables[name]).where(inArray(column, keys))) as AnyRow[]
    const there = new Set(rows.map((row) => row[property]))
    const mine = changes.filter(({ key }) => there.has(keyFrom(key)) === (phase === 'there'))
    if (mine.length === 0) continue
    const late =
      phase === 'there'
        ? await putAll(to, { name, rows, held })
        : await removeAll(to, { name, keys: mine.map(({ key }) => keyFrom(key)), held })
    const done = mine.filter(({ key }) => !late.has(keyFrom(key)))
    await sides.flush?.()
    await log.forget(table, done)
    arrived += done.length
  }
}

/** Puts rows in together, or one by one where one of them is in another's way. Answers the keys of those left for later. */
async function putAll(
  to: StoreHandle,
  { name, rows, held }: { name: TableName; rows: AnyRow[]; held: boolean },
): Promise<Set<unknown>> {
  try {
    await to.run(putRows, { name, rows })
    return new Set()
  } catch (error) {
    if (!leans(error)) throw error
  }
  const { property } = keyOf(to.tables, name)
  for (let left = rows; ; ) {
    const next: AnyRow[] = []
    let reason: unknown
    for (const row of left) {
      try {
        await to.run(putRows, { name, rows: [row] })
      } catch (error) {
        if (!leans(error)) throw error
        reason = error
        next.push(row)
      }
    }
    if (next.length > 0 && next.length < left.length) {
      left = next
      continue
    }
    if (held && next.length > 0) throw reason
    return new Set(next.map((row) => row[property]))
  }
}

async function removeAll(
  to: StoreHandle,
  { name, keys, held }: { name: TableName; keys: Change['key'][]; held: boolean },
): Promise<Set<unknown>> {
  try {
    await to.run(removeRows, { name, keys })
    return new Set()
  } catch (error) {
    if (held || !leans(error)) throw error
    return new Set(keys)
  }
}

/** Whether a row only waits for another one: it points to it, or has a value that the other still holds. */
const leans = (error: unknown) =>
  isUniqueViolation(error) || ['23503', 'SQLITE_CONSTRAINT_FOREIGNKEY'].includes(databaseCode(error) ?? '')

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
export async function lastCheck(
  { from, log, to }: Omit<Sides, 'flush'>,
  rejected: ReadonlyMap<string, number>,
): Promise<void> {
  const left = await log.count()
  if (left > 0) throw differs('the store', `${left} changes did not arrive`)
  const [here, there] = await Promise.all([countRows(from, rejected), countRows(to, rejected)])
  for (const [i, name] of NAMES.entries()) {
    if (here[i] === there[i]) continue
    const found = `${here[i]} rows in ${WORDS[from.dialect]}, ${there[i]} in ${WORDS[to.dialect]}`
    throw differs(getTableName(from.tables[name]), found)
  }
}

const WORDS = { sqlite: 'SQLite', postgresql: 'PostgreSQL' }

/** Rows of every table that both sides have, in the order of their names. What marks a store as left is not counted. */
function countRows(
  { db, tables, dialect }: StoreHandle,
  rejected: ReadonlyMap<string, number>,
): Promise<number[]> {
  return Promise.all(
    NAMES.map(async (name) => {
      const counted = db.select({ rows: count() }).from(tables[name])
      const [row] = await (name === 'meta' ? counted.where(ne(tables.meta.key, RETIRED)) : counted)
      const left = dialect === 'sqlite' ? (rejected.get(getTableName(tables[name])) ?? 0) : 0
      return Number(row?.rows) - left
    }),
  )
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
const parentsFirstOrder: TableName[] = orderTables()

function orderTables(): TableName[] {
  const byTable = new Map<string, TableName>(NAMES.map((name) => [getTableName(pgTables[name]), name]))
  const order = new Set<TableName>()
  const visit = (name: TableName) => {
    if (order.has(name)) return
    for (const { reference } of getTableConfig(pgTables[name]).foreignKeys) {
      const parent = byTable.get(getTableName(reference().foreignTable))
      if (parent && parent !== name) visit(parent)
    }
    order.add(name)
  }
  NAMES.forEach(visit)
  return [...order]
}
