import type pg from 'pg'
import { MigrationError } from '../failure'
import { quoteIdentifier as q, quoteLiteral } from '../plan/names'
import type { Bounds } from '../transfer/ranges'
import type { Plan } from '../types'
import { functionNames, readCatalog, relationNames, schemaExists } from './catalog'
import { eraseRun, type Repair, type RestoredKey, writeRun } from './checkpoint'
import { createTable, qualified } from './ddl'

export interface Prepared {
  runId: string
  source: string
  plan: Plan
  startedAt: number
  /** What the same run had made before: it is undone in the same transaction. */
  instead?: Repair
}

/**
 * Makes the tables, or takes foreign keys off those that are there, and lays down the run's bookkeeping: all in one
 * transaction, so that a run either has begun with everything needed to undo it, or has touched nothing.
 */
export async function prepareTarget(
  client: pg.Client,
  run: Prepared,
  parts: readonly { table: string; bounds: Bounds }[],
): Promise<Repair> {
  await client.query('BEGIN')
  try {
    if (run.instead) await eraseRun(client, run.runId, run.instead.undo)
    const repair =
      run.plan.mode === 'create' ? await createTables(client, run.plan) : await takeExisting(client, run.plan)
    await writeRun(
      client,
      {
        runId: run.runId,
        mode: run.plan.mode,
        source: run.source,
        schema: run.plan.schema,
        plan: run.plan,
        repair,
        startedAt: run.startedAt,
      },
      parts,
    )
    await client.query('COMMIT')
    return repair
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {})
    const { code = '', message = '' } = error as { code?: string; message?: string }
    if (/^42P0[67]$|^42710$|^42723$/.test(code)) {
      throw new MigrationError(
        'TARGET_NOT_EMPTY',
        `The target already has what the run would create: ${message}.`,
        'Choose an empty schema, or drop or rename what is there.',
        { cause: error },
      )
    }
    throw error
  }
}

async function createTables(client: pg.Client, plan: Plan): Promise<Repair> {
  const undo: string[] = []
  const created = !(await schemaExists(client, plan.schema))
  if (created) await client.query(`CREATE SCHEMA ${q(plan.schema)}`)
  await refuseTaken(client, plan)
  for (const table of plan.tables) await client.query(createTable(table, plan.schema))
  for (const view of [...(plan.views ?? [])].reverse())
    undo.push(`DROP VIEW IF EXISTS ${qualified(plan.schema, view.target)}`)
  // One statement, so that foreign keys among them don't matter; RESTRICT spares what others built on them.
  undo.push(
    `DROP TABLE IF EXISTS ${plan.tables.map((table) => qualified(plan.schema, table.target)).join(', ')}`,
  )
  for (const trigger of plan.triggers ?? [])
    undo.push(`DROP FUNCTION IF EXISTS ${qualified(plan.schema, trigger.target)}()`)
  if (created) undo.push(`DROP SCHEMA IF EXISTS ${q(plan.schema)} RESTRICT`)
  return { undo, restore: [] }
}

/** Views and functions are made last, and undone by name: none of these names may be somebody else's. */
async function refuseTaken(client: pg.Client, plan: Plan): Promise<void> {
  const relations = await relationNames(client, plan.schema)
  const functions = await functionNames(client, plan.schema)
  const taken = [
    ...(plan.views ?? []).filter(({ target }) => relations.has(target)),
    ...(plan.triggers ?? []).filter(({ target }) => functions.has(target)),
  ].map(({ target }) => target)
  if (taken.length === 0) return
  throw new MigrationError(
    'TARGET_NOT_EMPTY',
    `The target already has what the run would create: ${taken.join(', ')}.`,
    'Choose an empty schema, or drop or rename what is there.',
  )
}

/**
 * Foreign keys of tables that are loaded in parallel, with cycles and references to later rows, can't be checked
 * row by row: they are taken off here and put back, checked as a whole, after the load.
 */
async function takeExisting(client: pg.Client, plan: Plan): Promise<Repair> {
  const names = plan.tables.map((table) => qualified(plan.schema, table.target))
  await client.query(`LOCK TABLE ${names.join(', ')} IN SHARE ROW EXCLUSIVE MODE`)
  const catalog = await readCatalog(client, plan.schema)
  const ours = catalog.filter((table) => plan.tables.some((planned) => planned.target === table.name))
  const full = ours.filter((table) => !table.empty).map((table) => table.name)
  if (full.length > 0) {
    throw new MigrationError(
      'TARGET_NOT_EMPTY',
      `These tables of the target are not empty: ${full.join(', ')}.`,
      'Empty them or choose another schema.',
    )
  }
  const restore: RestoredKey[] = []
  const putBack: string[] = []
  for (const table of ours) {
    const name = qualified(plan.schema, table.name)
    for (const { name: key, definition, validated } of table.foreignKeys) {
      await client.query(`ALTER TABLE ${name} DROP CONSTRAINT ${q(key)}`)
      const plain = definition.replace(/ NOT VALID$/, '')
      restore.push({
        table: table.name,
        name: key,
        add: addUnlessThere(name, key, `${plain} NOT VALID`),
        validated,
      })
      putBack.push(addUnlessThere(name, key, definition))
    }
  }
  const referenced = catalog.some(
    (table) =>
      !ours.includes(table) && table.foreignKeys.some((key) => ours.some((one) => one.name === key.table)),
  )
  const emptied = referenced ? names.map((name) => `DELETE FROM ${name}`) : [`TRUNCATE ${names.join(', ')}`]
  const sequences: string[] = []
  for (const table of plan.tables.filter((one) => one.identity)) {
    const name = quoteLiteral(qualified(plan.schema, table.target))
    const { rows } = await client.query<{ sequence: string }>(
      `SELECT pg_get_serial_sequence(${name}, ${quoteLiteral(table.identity?.column as string)}) AS sequence`,
    )
    const sequence = rows[0]?.sequence
    if (!sequence) continue
    const state = await client.query<{ last: string; called: boolean }>(
      `SELECT last_value::text AS last, is_called AS called FROM ${sequence}`,
    )
    sequences.push(
      `SELECT setval(${quoteLiteral(sequence)}, ${state.rows[0]?.last}, ${state.rows[0]?.called})`,
    )
  }
  return { undo: [...emptied, ...sequences, ...putBack], restore }
}

function addUnlessThere(table: string, name: string, definition: string): string {
  return (
    `DO $holdfast$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = ${quoteLiteral(table)}::regclass AND conname = ${quoteLiteral(name)}) ` +
    `THEN ALTER TABLE ${table} ADD CONSTRAINT ${q(name)} ${definition}; END IF; END $holdfast$`
  )
}
