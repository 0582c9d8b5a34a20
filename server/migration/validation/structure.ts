import type pg from 'pg'
import { quoteIdentifier, quoteLiteral } from '../plan/names'
import { readCatalog } from '../target/catalog'
import { qualified } from '../target/ddl'
import type { Check, Plan } from '../types'
import { checkCarried, checkPrograms } from './carried'

/** Keys, foreign keys and sequences as the catalogue has them against the plan. */
export async function checkStructure(client: pg.Client, plan: Plan): Promise<Check[]> {
  const catalog = new Map((await readCatalog(client, plan.schema)).map((table) => [table.name, table]))
  const missing: string[] = []
  const unproved: string[] = []
  let keys = 0
  let foreignKeys = 0
  for (const table of plan.tables) {
    const found = catalog.get(table.target)
    if (table.primaryKey) {
      keys++
      if (found?.primaryKey?.columns.join() !== table.primaryKey.columns.join())
        missing.push(`key of ${table.target}`)
    }
    for (const key of table.foreignKeys) {
      foreignKeys++
      const match = found?.foreignKeys.find((one) => one.name === key.name)
      if (!match) missing.push(`${key.name} of ${table.target}`)
      else if (!match.validated)
        unproved.push(`${key.name} of ${table.target}: ${orphansOf(key.orphans)} without their parent`)
    }
  }
  const structure: Check = {
    id: 'target-keys',
    title: 'Keys and foreign keys',
    state: missing.length > 0 ? 'red' : unproved.length > 0 ? 'amber' : 'green',
    detail:
      missing.length > 0
        ? `Missing: ${missing.join('; ')}.`
        : unproved.length > 0
          ? `Not valid for old rows: ${unproved.join('; ')}.`
          : `${keys} primary and ${foreignKeys} foreign keys stand and are valid.`,
    ...(missing.length > 0 && {
      remedy: 'Rows stand against them, or something outside of the run dropped them: mend it and resume.',
    }),
  }
  const programs = await checkPrograms(client, plan)
  const carried =
    plan.mode === 'create' ? [await checkCarried(client, plan), ...(programs ? [programs] : [])] : []
  return [structure, ...carried, await checkSequences(client, plan)]
}

/** Rows are missing too whose parent was rejected: those are not counted. */
const orphansOf = (known: number) => (known > 0 ? `${known} rows` : 'some rows')

/** Sequences go on past the greatest id. */
export async function checkSequences(client: pg.Client, plan: Plan): Promise<Check> {
  const behind: string[] = []
  const fed = plan.tables.filter((table) => table.identity)
  for (const table of fed) {
    const name = qualified(plan.schema, table.target)
    const column = table.identity?.column as string
    const { rows } = await client.query(
      `SELECT top IS NULL OR top < 1 OR coalesce(pg_sequence_last_value(pg_get_serial_sequence(${quoteLiteral(name)}, ${quoteLiteral(column)})::regclass) >= top, false) AS past
       FROM (SELECT greatest((SELECT max(${quoteIdentifier(column)}) FROM ${name}), $1::bigint) AS top) AS t`,
      [table.identity?.last ?? null],
    )
    if (rows[0] && rows[0].past !== true) behind.push(table.target)
  }
  return {
    id: 'target-sequences',
    title: 'Sequences',
    state: behind.length === 0 ? 'green' : 'red',
    detail:
      behind.length === 0
        ? `${fed.length} sequences go on past the greatest id.`
        : `Behind the greatest id: ${behind.join(', ')}.`,
    ...(behind.length > 0 && {
      remedy: 'SELECT setval(pg_get_serial_sequence(…), max(id)) for these tables.',
    }),
  }
}
