import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import pg from 'pg'
import type { Job, RunEvent, Target } from '../types'

export interface Engine {
  host: string
  port: number
  user: string
  password: string
}

/** A database and a folder of a test's own. */
export interface Bench {
  target: Target
  client: pg.Client
  /** Writes a SQLite file from a script and returns its path. */
  file(sql: string, fill?: (db: Database.Database) => void): string
  job(source: string, more?: Partial<Job>): Job
  close(): Promise<void>
}

let made = 0

export async function openBench(engine: Engine): Promise<Bench> {
  const database = `migrate_${process.pid}_${++made}`
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-migrate-'))
  // Of a server of the test's own these are no plain properties.
  const { host, port, user, password } = engine
  const at = { host, port, user, password }
  const admin = new pg.Client({ ...at, database: 'postgres' })
  await admin.connect()
  await admin.query(`CREATE DATABASE "${database}" ENCODING 'UTF8' TEMPLATE template0`)
  const client = new pg.Client({ ...at, database })
  // A test may take the server away.
  for (const one of [admin, client]) one.on('error', () => {})
  await client.connect()
  const target: Target = { host, port, user, password, database, schema: 'public' }
  let files = 0
  let runs = 0
  return {
    target,
    client,
    file(sql, fill) {
      const path = join(folder, `source-${++files}.db`)
      const db = new Database(path)
      db.exec(sql)
      if (fill) db.transaction(() => fill(db))()
      db.close()
      return path
    },
    job: (source, more) => ({ runId: `${database}-${++runs}`, source, target, mode: 'create', ...more }),
    async close() {
      for (const one of [admin, client]) await one.end().catch(() => {})
      const last = new pg.Client({ ...at, database: 'postgres' })
      await last.connect()
      await last.query(`DROP DATABASE "${database}" WITH (FORCE)`)
      await last.end()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Everything of a database that a run could leave behind: schemas, relations with columns, constraints and rows. */
export async function fingerprint(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ line: string }>(`
    SELECT 'schema ' || nspname AS line FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
    UNION ALL SELECT 'relation ' || c.oid::regclass || ' ' || c.relkind::text || ' ' || coalesce((SELECT string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull, ', ' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0), '')
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    UNION ALL SELECT 'constraint ' || k.conrelid::regclass || ' ' || k.conname || ' ' || pg_get_constraintdef(k.oid) FROM pg_constraint k WHERE k.conrelid <> 0 AND k.connamespace <> 'information_schema'::regnamespace AND k.connamespace <> 'pg_catalog'::regnamespace
    UNION ALL SELECT 'sequence ' || schemaname || '.' || sequencename || ' ' || coalesce(last_value::text, 'unused') FROM pg_sequences
    ORDER BY 1`)
  const lines = rows.map((row) => row.line)
  const tables = await client.query<{ name: string }>(
    `SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 1`,
  )
  for (const { name } of tables.rows) {
    const found = await client.query(`SELECT count(*)::int AS n FROM ${name}`)
    lines.push(`rows ${name} ${found.rows[0].n}`)
  }
  return lines
}

/**
 * Every row of a table in both engines, read by queries that the migration doesn't share, as comparable text in
 * one order. Doubles are compared by their bits, texts and blobs by their bytes.
 */
export async function bothSides(
  file: string,
  client: pg.Client,
  table: string,
  schema = 'public',
): Promise<{ source: string[]; target: string[] }> {
  const db = new Database(file, { readonly: true })
  const quoted = `"${table.replaceAll('"', '""')}"`
  const source = db.prepare(`SELECT * FROM ${quoted}`).raw().safeIntegers().all() as unknown[][]
  db.close()
  const { rows, fields } = await client.query({
    text: `SELECT * FROM "${schema}".${quoted}`,
    rowMode: 'array',
    types: asText,
  })
  const types = fields.map((field) => field.dataTypeID)
  return {
    source: source.map((row) => lineOf(row.map((value, i) => plain(value, types[i] as number)))).sort(),
    target: (rows as (string | null)[][])
      .map((row) => lineOf(row.map((text, i) => parsed(text, types[i] as number))))
      .sort(),
  }
}

/** One text for a row; PostgreSQL's own texts hold no NUL. */
const lineOf = (values: (string | null)[]) => values.map((value) => value ?? '\0 null').join('\0')

const asText = { getTypeParser: () => (text: string) => text }
const OID = { bool: 16, bytea: 17, int8: 20, float8: 701, numeric: 1700 }

const double = new Float64Array(1)
const halves = new Uint32Array(double.buffer)

function bitsOf(value: number): string {
  double[0] = value
  return `double ${halves[1]} ${halves[0]}`
}

function plain(value: unknown, type: number): string | null {
  if (value === null) return null
  if (type === OID.float8 || type === OID.numeric) return bitsOf(Number(value))
  if (type === OID.bool) return value === 1n ? 'true' : 'false'
  if (type === OID.bytea) return `bytes ${Buffer.from(value as Buffer | string).toString('hex')}`
  return String(value)
}

function parsed(text: string | null, type: number): string | null {
  if (text === null) return null
  if (type === OID.float8 || type === OID.numeric) return bitsOf(Number(text))
  if (type === OID.bool) return text === 't' ? 'true' : 'false'
  if (type === OID.bytea) return `bytes ${text.slice(2)}`
  return text
}

/** Keeps the events of a run, and calls back at the first that matches. */
export function recorder(matches?: (event: RunEvent) => boolean, then?: () => void) {
  const events: RunEvent[] = []
  let called = false
  return {
    events,
    get called() {
      return called
    },
    onEvent(event: RunEvent) {
      events.push(event)
      if (!called && matches?.(event)) {
        called = true
        then?.()
      }
    },
  }
}
