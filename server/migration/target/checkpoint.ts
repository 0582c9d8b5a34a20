import type pg from 'pg'
import { MigrationError } from '../failure'
import { quoteLiteral } from '../plan/names'
import { type Bounds, decodeKey, encodeKey } from '../transfer/ranges'
import type { Mode, Plan } from '../types'

/** The run's bookkeeping, in the target so that it commits together with the rows. */
export const BOOKKEEPING = 'holdfast_migration'

const TABLES = `
  CREATE SCHEMA IF NOT EXISTS ${BOOKKEEPING};
  CREATE TABLE IF NOT EXISTS ${BOOKKEEPING}.run (
    run_id text PRIMARY KEY, state text NOT NULL, mode text NOT NULL, source text NOT NULL, target_schema text NOT NULL,
    plan text NOT NULL, repair text NOT NULL, report text, started_at bigint NOT NULL);
  CREATE TABLE IF NOT EXISTS ${BOOKKEEPING}.part (
    run_id text NOT NULL, table_name text NOT NULL, part integer NOT NULL, lo text, hi text, position text,
    rows bigint NOT NULL DEFAULT 0, rejected bigint NOT NULL DEFAULT 0, bytes bigint NOT NULL DEFAULT 0, done boolean NOT NULL DEFAULT false,
    PRIMARY KEY (run_id, table_name, part));
  CREATE TABLE IF NOT EXISTS ${BOOKKEEPING}.step (
    run_id text NOT NULL, step text NOT NULL, PRIMARY KEY (run_id, step));
  CREATE TABLE IF NOT EXISTS ${BOOKKEEPING}.reject (
    run_id text NOT NULL, table_name text NOT NULL, part integer NOT NULL, position text NOT NULL,
    key text NOT NULL, column_name text, value text, reason text NOT NULL)`

const TABLE_NAMES = ['reject', 'step', 'part', 'run']

/** Serialises those who make or drop the bookkeeping schema. */
const GATE = `SELECT pg_advisory_xact_lock(hashtextextended('${BOOKKEEPING}', 0))`

/** SQL that cancelling runs, and SQL that puts back what the load needed out of its way; both can be run twice. */
export interface Repair {
  undo: string[]
  restore: RestoredKey[]
}

/** A foreign key that was taken off for the load. `add` makes it NOT VALID, if it isn't there. */
export interface RestoredKey {
  table: string
  name: string
  add: string
  validated: boolean
}

export interface StoredRun {
  runId: string
  state: 'running' | 'done'
  mode: Mode
  source: string
  schema: string
  plan: Plan
  repair: Repair
  report: string | null
  startedAt: number
}

export interface Part {
  table: string
  part: number
  bounds: Bounds
  rows: number
  rejected: number
  bytes: number
  done: boolean
}

/**
 * Takes the run for this session. The lock ends with the connection, so that a killed worker never leaves a run
 * "in progress"; a server notices a dead peer within 30 s by keepalives. Waits up to 10 s for one that is stopping.
 */
export async function lockRun(client: pg.Client, runId: string): Promise<void> {
  const deadline = Date.now() + 10_000
  for (;;) {
    const { rows } = await client.query<{ locked: boolean }>(
      `SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS locked`,
      [`${BOOKKEEPING} ${runId}`],
    )
    if (rows[0]?.locked) return
    if (Date.now() > deadline) break
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
  throw new MigrationError(
    'RUN_ACTIVE',
    `Another worker is at work on run ${runId}.`,
    'Pause or cancel it there; if its machine is gone, the lock ends by itself within a minute.',
  )
}

/** Whether the bookkeeping is there at all. */
async function exists(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query(`SELECT to_regclass('${BOOKKEEPING}.run') IS NOT NULL AS found`)
  return rows[0]?.found === true
}

/** Names of all runs that the target keeps books of, oldest first. */
export async function runIds(client: pg.Client): Promise<string[]> {
  if (!(await exists(client))) return []
  const { rows } = await client.query(
    `SELECT run_id AS id FROM ${BOOKKEEPING}.run ORDER BY started_at, run_id`,
  )
  return rows.map(({ id }) => id)
}

/** Whether a session holds the run's lock. */
export async function isActive(client: pg.Client, runId: string): Promise<boolean> {
  const { rows } = await client.query(
    `SELECT CASE WHEN pg_try_advisory_lock(key) THEN NOT pg_advisory_unlock(key) ELSE true END AS active
     FROM (SELECT hashtextextended($1, 0) AS key) AS run`,
    [`${BOOKKEEPING} ${runId}`],
  )
  return rows[0]?.active === true
}

/** Whether the target keeps books of a run: until its end was kept elsewhere. */
export async function hasBooks(client: pg.Client, runId: string): Promise<boolean> {
  if (!(await exists(client))) return false
  const { rowCount } = await client.query(`SELECT 1 FROM ${BOOKKEEPING}.run WHERE run_id = $1`, [runId])
  return rowCount === 1
}

export async function readRun(client: pg.Client, runId: string): Promise<StoredRun | null> {
  if (!(await exists(client))) return null
  const { rows } = await client.query(
    `SELECT run_id AS "runId", state, mode, source, target_schema AS schema, plan, repair, report, started_at::float8 AS "startedAt"
     FROM ${BOOKKEEPING}.run WHERE run_id = $1`,
    [runId],
  )
  const row = rows[0]
  return row ? { ...row, plan: JSON.parse(row.plan), repair: JSON.parse(row.repair) } : null
}

/** Inside the transaction that makes the target's tables. */
export async function writeRun(
  client: pg.Client,
  run: Omit<StoredRun, 'state' | 'report'>,
  parts: readonly { table: string; bounds: Bounds }[],
): Promise<void> {
  await client.query(GATE)
  await client.query(TABLES)
  await client.query(
    `INSERT INTO ${BOOKKEEPING}.run (run_id, state, mode, source, target_schema, plan, repair, started_at)
     VALUES ($1, 'running', $2, $3, $4, $5, $6, $7)`,
    [
      run.runId,
      run.mode,
      run.source,
      run.schema,
      JSON.stringify(run.plan),
      JSON.stringify(run.repair),
      run.startedAt,
    ],
  )
  await client.query(
    `INSERT INTO ${BOOKKEEPING}.part (run_id, table_name, part, lo, hi)
     SELECT $1, * FROM unnest($2::text[], $3::integer[], $4::text[], $5::text[])`,
    [
      run.runId,
      parts.map(({ table }) => table),
      parts.map((_, i) => i),
      parts.map(({ bounds }) => encodeKey(bounds.lo)),
      parts.map(({ bounds }) => encodeKey(bounds.hi)),
    ],
  )
}

export async function readParts(client: pg.Client, runId: string): Promise<Part[]> {
  const { rows } = await client.query(
    `SELECT table_name AS "table", part, lo, hi, rows::float8 AS rows, rejected::float8 AS rejected, bytes::float8 AS bytes, done
     FROM ${BOOKKEEPING}.part WHERE run_id = $1 ORDER BY part`,
    [runId],
  )
  return rows.map(({ lo, hi, ...row }) => ({ ...row, bounds: { lo: decodeKey(lo), hi: decodeKey(hi) } }))
}

/**
 * Begins a batch: the row lock makes a second worker wait for the first one's commit and then see its position,
 * so that no batch is loaded twice even while a killed worker's last COMMIT is still under way.
 */
export function beginBatch(runId: string, part: number): string {
  return `BEGIN; SET LOCAL synchronous_commit = off;
    SELECT position, done FROM ${BOOKKEEPING}.part WHERE run_id = ${quoteLiteral(runId)} AND part = ${part} FOR UPDATE`
}

/** Ends a batch: rows and checkpoint become visible in one commit. */
export function endBatch(
  runId: string,
  part: number,
  batch: { position: string | null; rows: number; rejected: number; bytes: number; done: boolean },
): string {
  const position = batch.position === null ? 'position' : quoteLiteral(batch.position)
  return `UPDATE ${BOOKKEEPING}.part SET position = ${position}, rows = rows + ${batch.rows}, rejected = rejected + ${batch.rejected}, bytes = bytes + ${batch.bytes}, done = ${batch.done}
    WHERE run_id = ${quoteLiteral(runId)} AND part = ${part}; COMMIT`
}

export async function finishedSteps(client: pg.Client, runId: string): Promise<Set<string>> {
  const { rows } = await client.query(`SELECT step FROM ${BOOKKEEPING}.step WHERE run_id = $1`, [runId])
  return new Set(rows.map((row) => row.step))
}

/** Runs statements and notes the step, in one transaction. */
export async function commitStep(
  client: pg.Client,
  runId: string,
  step: string,
  statements: string[],
): Promise<void> {
  await client.query('BEGIN')
  try {
    for (const statement of statements) await client.query(statement)
    await client.query(`INSERT INTO ${BOOKKEEPING}.step (run_id, step) VALUES ($1, $2)`, [runId, step])
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {})
    throw error
  }
}

export async function markDone(client: pg.Client, runId: string, report: string): Promise<void> {
  await client.query(`UPDATE ${BOOKKEEPING}.run SET state = 'done', report = $2 WHERE run_id = $1`, [
    runId,
    report,
  ])
}

/** Undoes a run within a transaction. */
export async function eraseRun(client: pg.Client, runId: string, undo: readonly string[]): Promise<void> {
  await client.query(GATE)
  for (const statement of undo) await client.query(statement)
  for (const table of TABLE_NAMES) {
    await client.query(`DELETE FROM ${BOOKKEEPING}.${table} WHERE run_id = $1`, [runId])
  }
}

/** Undoes a run in one transaction, and drops the bookkeeping with its last run. */
export async function removeRun(client: pg.Client, runId: string, undo: readonly string[]): Promise<void> {
  await client.query('BEGIN')
  try {
    await eraseRun(client, runId, undo)
    const { rowCount } = await client.query(`SELECT 1 FROM ${BOOKKEEPING}.run LIMIT 1`)
    if (rowCount === 0) {
      const names = TABLE_NAMES.map((table) => `${BOOKKEEPING}.${table}`)
      await client.query(`DROP TABLE ${names.join(', ')}`)
      await client.query(`DROP SCHEMA ${BOOKKEEPING} RESTRICT`)
    }
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {})
    throw error
  }
}
