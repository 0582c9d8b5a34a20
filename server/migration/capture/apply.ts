import type Database from 'better-sqlite3'
import type pg from 'pg'
import { loadedPart } from '../plan/generated'
import { quoteIdentifier as q, quoteLiteral } from '../plan/names'
import { parentsFirst } from '../plan/plan-existing'
import { qualified, switchTriggers } from '../target/ddl'
import type { Plan, PlannedTable } from '../types'
import { takeForeignKeys } from './foreign-keys'
import { keysTable, wholeTable } from './install'
import { copyKeys, copyRows } from './lines'
import { settleRejects } from './rejected'
import type { Watched } from './watched'

export interface Round {
  /** The source in the round's snapshot. */
  db: Database.Database
  client: pg.Client
  runId: string
  plan: Plan
  watched: readonly Watched[]
  /** Keys and foreign keys stand in the target; false: perhaps some of them do. */
  built: boolean
  /** Positions of rows that were rejected by the run, where its books are gone. */
  known?: ReadonlySet<string>
}

/** A change of one table that leans on another's, or takes a unique value over from another row (PostgreSQL, appendix A). */
const LEANS = new Set(['23001', '23503', '23505'])

/**
 * Makes the noted rows in the target what they are in the snapshot, in one transaction; doing it twice changes nothing.
 * Rows that are gone are deleted, children first; the others are put in, parents first. Where that runs into foreign
 * keys in a circle, or values that rows swap, it is done again with the foreign keys taken off until its end.
 * Answers the number of keys.
 */
export async function applyRound(round: Round): Promise<number> {
  const changed = changedTables(round)
  if (changed.length === 0) return 0
  try {
    return await apply(round, changed, !round.built)
  } catch (error) {
    if (!round.built || !LEANS.has((error as { code?: string }).code ?? '')) throw error
    return apply(round, changed, true)
  }
}

interface Changed extends Watched {
  /** Keys; null: the table is carried anew as a whole. */
  keys: number | null
}

function changedTables({ db, runId, plan, watched }: Round): Changed[] {
  const count = (sql: string) => db.prepare(sql).pluck().get() as number
  const order = new Map(parentsFirst([...plan.tables]).map((table, i) => [table.source, i]))
  return watched
    .flatMap((one): Changed[] => {
      const whole = count(`SELECT count(*) FROM ${q(wholeTable(runId))} WHERE number = ${one.number}`)
      if (whole > 0) return [{ ...one, keys: null }]
      const keys = one.key ? count(`SELECT count(*) FROM ${q(keysTable(runId, one.number))}`) : 0
      return keys > 0 ? [{ ...one, keys }] : []
    })
    .sort((a, b) => (order.get(a.table.source) ?? 0) - (order.get(b.table.source) ?? 0))
}

async function apply(round: Round, changed: Changed[], bare: boolean): Promise<number> {
  const { client, plan } = round
  await client.query('BEGIN')
  try {
    await client.query('SET CONSTRAINTS ALL DEFERRED')
    // What triggers did in the source is among the noted rows.
    for (const sql of switchTriggers(plan, 'DISABLE')) await client.query(sql)
    const fireAgain = await silenceTriggers(client, plan, changed)
    const putBack = bare ? await takeForeignKeys(client, plan) : null
    for (const one of changed) await loadAside(round, one)
    const upsert = (one: Changed) => !bare && isReferenced(plan, one.table)
    for (const one of [...changed].reverse()) await client.query(removal(plan.schema, one, upsert(one)))
    for (const one of changed) await client.query(insertion(plan.schema, one, upsert(one)))
    await putBack?.()
    await fireAgain()
    for (const sql of switchTriggers(plan, 'ENABLE')) await client.query(sql)
    for (const one of changed) await advanceSequence(round, one.table)
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {})
    throw error
  }
  return changed.reduce((sum, { keys }) => sum + (keys ?? 1), 0)
}

/** What the source's triggers did is among the noted rows; the target's, carried from there, would do it again. */
async function silenceTriggers(
  client: pg.Client,
  plan: Plan,
  changed: readonly Changed[],
): Promise<() => Promise<void>> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT DISTINCT c.relname AS name FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
     JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE NOT t.tgisinternal AND n.nspname = $1 AND c.relname = ANY ($2::text[])`,
    [plan.schema, changed.map(({ table }) => table.target)],
  )
  const alter = async (how: string) => {
    for (const { name } of rows)
      await client.query(`ALTER TABLE ${qualified(plan.schema, name)} ${how} TRIGGER USER`)
  }
  await alter('DISABLE')
  return async () => {
    if (rows.length > 0) await client.query('SET CONSTRAINTS ALL IMMEDIATE')
    await alter('ENABLE')
  }
}

const rowsName = ({ number }: Watched) => `holdfast_rows_${number}`
const keysName = ({ number }: Watched) => `holdfast_keys_${number}`
const names = (columns: { target: string }[]) => columns.map(({ target }) => q(target)).join(', ')

/** The rows as they are now, and the noted keys, into tables of the transaction. */
async function loadAside(round: Round, one: Changed): Promise<void> {
  const { client, plan, runId } = round
  const target = qualified(plan.schema, one.table.target)
  const aside = (name: string, columns: { target: string }[]) =>
    client.query(
      `CREATE TEMP TABLE ${q(name)} ON COMMIT DROP AS SELECT ${names(columns)} FROM ${target} WITH NO DATA`,
    )
  await aside(rowsName(one), loadedPart(one.table).columns)
  await settleRejects(round, one, one.keys === null)
  await copyRows(round, runId, one, rowsName(one), one.keys === null)
  if (!one.key || one.keys === null) return
  await aside(keysName(one), one.key)
  await copyKeys(round, runId, one, keysName(one))
  await client.query(`ANALYZE pg_temp.${q(keysName(one))}; ANALYZE pg_temp.${q(rowsName(one))}`)
}

/** `upsert`: rows that stay are not deleted, for others point at them. */
function removal(schema: string, one: Changed, upsert: boolean): string {
  const target = qualified(schema, one.table.target)
  const rows = `pg_temp.${q(rowsName(one))}`
  if (!one.key || one.keys === null) {
    if (!upsert || !one.key) return `DELETE FROM ${target}`
    return `DELETE FROM ${target} AS t WHERE NOT EXISTS (SELECT 1 FROM ${rows} AS r WHERE ${same(one, 't', 'r')})`
  }
  const keys = `pg_temp.${q(keysName(one))}`
  if (upsert)
    return `DELETE FROM ${target} AS t USING ${keys} AS k WHERE ${same(one, 't', 'k')} AND NOT EXISTS (SELECT 1 FROM ${rows} AS r WHERE ${same(one, 'r', 'k')})`
  const columns = names(one.key)
  return `DELETE FROM ${target} AS t USING (SELECT ${columns} FROM ${keys} UNION SELECT ${columns} FROM ${rows}) AS k WHERE ${same(one, 't', 'k')}`
}

const same = ({ key }: Changed, a: string, b: string) =>
  (key ?? []).map(({ target }) => `${a}.${q(target)} = ${b}.${q(target)}`).join(' AND ')

function insertion(schema: string, one: Changed, upsert: boolean): string {
  const { columns } = loadedPart(one.table)
  const insert = `INSERT INTO ${qualified(schema, one.table.target)} (${names(columns)}) SELECT ${names(columns)} FROM pg_temp.${q(rowsName(one))}`
  if (!upsert || !one.key) return insert
  const others = columns.filter((column) => !one.key?.some((key) => key.target === column.target))
  const set = others.map(({ target }) => `${q(target)} = excluded.${q(target)}`).join(', ')
  return `${insert} ON CONFLICT (${names(one.key)}) DO ${set ? `UPDATE SET ${set}` : 'NOTHING'}`
}

function isReferenced(plan: Plan, table: PlannedTable): boolean {
  return plan.tables.some((one) => one.foreignKeys.some((key) => key.references.table === table.target))
}

/** The sequence of a table goes on past the greatest id that SQLite has given out; it never goes back. */
async function advanceSequence({ db, client, plan }: Round, table: PlannedTable): Promise<void> {
  if (!table.identity) return
  const target = qualified(plan.schema, table.target)
  const column = table.identity.column
  const counted = db.prepare(`SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'`).get()
  const given = counted
    ? db
        .prepare('SELECT CAST(max(seq) AS TEXT) FROM sqlite_sequence WHERE name = ?')
        .pluck()
        .get(table.source)
    : null
  await client.query(
    `SELECT setval(s.name, top) FROM (SELECT pg_get_serial_sequence(${quoteLiteral(target)}, ${quoteLiteral(column)})::regclass AS name,
       greatest((SELECT max(${q(column)}) FROM ${target}), $1::bigint) AS top) AS s
     WHERE top >= 1 AND top > coalesce(pg_sequence_last_value(s.name), 0)`,
    [given ?? null],
  )
}
