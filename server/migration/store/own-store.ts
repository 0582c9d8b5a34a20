import type BetterSqlite3 from 'better-sqlite3'
import { getTableColumns, getTableName } from 'drizzle-orm'
import { GUARD } from '@/db/audit-guard'
import { columnName } from '@/db/columns'
import { bookkeeping, migratePostgres } from '@/db/migrate'
import type { PgHandle, StoreHandle } from '@/db/open'
import { tables as pgTables } from '@/db/schema/pg'
import { MigrationError } from '../failure'
import { targetError } from '../target/errors'
import type { Plan, Target, Validation } from '../types'
import { CAPTURE_TABLE, isCapturing, startCapture } from './capture'
import { stopPgCapture } from './pg-capture'
import { placeOf } from './store-choice'

/** The store's database, as far as moving it needs it. */
export interface SqliteSide {
  dialect: 'sqlite'
  /** The main thread's handle: to read. */
  client: BetterSqlite3.Database
  handle: StoreHandle
  /** Calls `work` with that handle while nothing else writes: the one way to write through it. */
  alone<T>(work: (client: BetterSqlite3.Database) => T): Promise<T>
  /** Closes every connection to the file but `client`. */
  leave(): Promise<void>
}

export interface PostgresSide {
  dialect: 'postgresql'
  client: PgHandle
  handle: StoreHandle
  close(): Promise<void>
}

/** Tables of the file that do not move: each store keeps its own. */
export const STAYING = [CAPTURE_TABLE, bookkeeping.table]

const NAMES = Object.values(pgTables).map((table) => getTableName(table))

/** Throws TARGET_NOT_EMPTY where tables of a console, or of anything that drizzle keeps, are in the target already. */
export async function refuseOccupied(
  target: Target,
  { client }: Pick<PostgresSide, 'client'>,
): Promise<void> {
  const { rows } = await ask(client, target)(
    `SELECT coalesce(
              (SELECT min(tablename) FROM pg_tables WHERE schemaname = 'public' AND tablename = ANY ($1)),
              to_regclass($2)::text
            ) AS name`,
    [NAMES, `${bookkeeping.schema}.${bookkeeping.table}`],
  )
  const name = (rows[0] as { name: string | null } | undefined)?.name
  if (!name) return
  throw new MigrationError(
    'TARGET_NOT_EMPTY',
    `${placeOf(target)} has a table ${name} already.`,
    'Choose a database of its own for the console, or remove what is in this one.',
    { table: name },
  )
}

/**
 * Makes the store's tables in the target, and notes every write from now on. Calling it again changes nothing. What
 * guards the audit log comes with the switchover: until then rows are copied into it, and out again.
 */
export async function prepareStore(
  from: SqliteSide,
  to: PostgresSide,
  target: Target,
  migrationsFolder: string,
): Promise<void> {
  await from.alone((client) => {
    if (!isCapturing(client)) startCapture(client, from.handle.tables)
  })
  await migratePostgres(to.client, migrationsFolder, { guarded: false }).catch((error) => {
    throw targetError(error, target)
  })
}

/** Removes the store's tables from a target in which a run made them. */
export async function removeStore(to: PostgresSide, target: Target): Promise<void> {
  const query = ask(to.client, target)
  const names = NAMES.map((name) => `public."${name}"`).join(', ')
  await stopPgCapture(query)
  await query(`DROP TABLE IF EXISTS ${names}, ${bookkeeping.schema}.${bookkeeping.table} CASCADE`)
  const { rows } = await query(
    `SELECT 1 FROM pg_namespace n
     WHERE nspname = $1
       AND NOT EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = n.oid)`,
    [bookkeeping.schema],
  )
  if (rows.length > 0) await query(`DROP SCHEMA ${bookkeeping.schema}`)
}

/**
 * The plan of the own store shows the types that the store's definition gives its tables: that is how they are
 * made, whatever the rows would allow.
 */
export function fitStorePlan(plan: Plan): Plan {
  const defined = new Map(
    Object.values(pgTables).map((table) => [
      getTableName(table) as string,
      new Map(
        Object.entries(getTableColumns(table)).map(([property, column]) => [columnName(property), column]),
      ),
    ]),
  )
  return {
    ...plan,
    tables: plan.tables.map((table) => ({
      ...table,
      columns: table.columns.map((column) => {
        const definition = defined.get(table.source)?.get(column.source)
        if (!definition || plan.mode === 'existing') return column
        const { note: _, ...rest } = column
        return { ...rest, type: definition.getSQLType(), nullable: !definition.notNull }
      }),
    })),
    notCarried: plan.notCarried.filter(
      ({ name }) =>
        !STAYING.includes(name) && ![CAPTURE_TABLE, GUARD].some((own) => name.startsWith(`${own}_`)),
    ),
  }
}

/** Writes go on while the own store is copied: that is no reason to worry, since they are noted. */
export function fitStoreValidation(validation: Validation): Validation {
  return {
    ...validation,
    checks: validation.checks.map(({ id, ...check }) =>
      id === 'source-changed'
        ? {
            id,
            title: 'Later writes',
            state: 'green',
            detail: 'What was written since the copy is noted, and brought over at the switchover.',
          }
        : { id, ...check },
    ),
  }
}

function ask({ query }: PgHandle, target: Target) {
  const plain = query as unknown as (sql: string, values?: unknown[]) => Promise<{ rows: unknown[] }>
  return (sql: string, values?: unknown[]) =>
    plain(sql, values).catch((error: unknown) => {
      throw targetError(error, target)
    })
}
