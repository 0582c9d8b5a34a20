import { accessSync, constants } from 'node:fs'
import type pg from 'pg'
import { MigrationError } from '../failure'
import { BOOKKEEPING } from '../target/checkpoint'
import { isConnectionLoss, targetError } from '../target/errors'
import { connectTarget, disconnect } from '../target/target'
import type { Check, Mode, Target } from '../types'
import { quoteIdentifier as q } from './names'

/** A failed question as a red check. */
export function redCheck(id: string, title: string, error: unknown): Check {
  const remedy = error instanceof MigrationError ? error.remedy : undefined
  return { id, title, state: 'red', detail: (error as Error).message, ...(remedy && { remedy }) }
}

/** A connection that was lost on the way says nothing about the target: it is thrown, so that the run is tried again. */
export function redUnlessLost(id: string, title: string, error: unknown, target: Target): Check {
  if (isConnectionLoss(error)) throw targetError(error, target)
  return redCheck(id, title, error)
}

/** What SQLite's quick_check found (https://www.sqlite.org/pragma.html#pragma_quick_check). */
export function integrityCheck(problems: readonly string[]): Check {
  const ok = problems.length === 1 && problems[0] === 'ok'
  return {
    id: 'source-integrity',
    title: 'Source is sound',
    state: ok ? 'green' : 'red',
    detail: ok ? 'quick_check found nothing.' : `quick_check found: ${problems.slice(0, 5).join('; ')}`,
    ...(!ok && { remedy: 'Restore a backup, or save what can be read with `sqlite3 FILE .recover`.' }),
  }
}

/** Readers of a database that is not in WAL mode keep its application from writing while they read. */
export function captureCheck(file: string, journalMode: string): Check {
  const check = { id: 'source-capture', title: 'Writes can be noted' }
  const at = file.replaceAll("'", "'\\''")
  if (journalMode !== 'wal') {
    return {
      ...check,
      state: 'red',
      detail: `The journal mode is ${journalMode}: its application could not write while rows are read.`,
      remedy: `sqlite3 '${at}' 'PRAGMA journal_mode = WAL', or start the run without noting writes.`,
    }
  }
  try {
    accessSync(file, constants.W_OK)
  } catch {
    return {
      ...check,
      state: 'red',
      detail:
        'The file may not be written to by the user of this process, so no triggers can be put into it.',
      remedy: `Grant it, e.g. chmod g+w '${at}' and its folder, or start the run without noting writes.`,
    }
  }
  return { ...check, state: 'green', detail: 'Triggers note the keys of written rows while the run goes on.' }
}

/** PostgreSQL's tables have 1,600 columns at most (https://www.postgresql.org/docs/current/limits.html). */
export function columnsCheck(tables: readonly { name: string; columns: readonly unknown[] }[]): Check | null {
  const wide = tables.filter((table) => table.columns.length > 1600)
  if (wide.length === 0) return null
  const named = wide.map(({ name, columns }) => `${name} has ${columns.length.toLocaleString('en')} columns`)
  return {
    id: 'target-columns',
    title: 'Columns fit',
    state: 'red',
    detail: `${named.join('; ')}: PostgreSQL holds 1,600 in a table.`,
    remedy: 'Leave columns out, or the table, by the choices; or split the table in the source.',
  }
}

/** `broken`: rows without their parent by table. */
export function foreignKeyCheck(broken: ReadonlyMap<string, number>, mismatches: readonly string[]): Check {
  const rows = [...broken].filter(([, count]) => count > 0)
  const problems = [
    ...rows.map(([table, count]) => `${table}: ${count} rows without their parent`),
    ...mismatches,
  ]
  return {
    id: 'source-foreign-keys',
    title: 'Foreign keys hold',
    state: problems.length === 0 ? 'green' : 'amber',
    detail: problems.length === 0 ? 'Every row has its parent.' : `${problems.slice(0, 5).join('; ')}.`,
    ...(problems.length > 0 && {
      remedy:
        'Correct the rows, or go on: these keys are added NOT VALID, so that they hold for new rows alone.',
    }),
  }
}

/** A quick_check that came to no end. The application's own collations are unknown here, and indexes over them can't be read. */
export function integrityFailure(error: unknown): Check {
  const check = redCheck('source-integrity', 'Source is sound', error)
  if (!/no such collation sequence/i.test(check.detail)) return check
  return {
    ...check,
    state: 'amber',
    detail:
      'quick_check can’t read indexes over a collation of the application’s own; rows are read without them.',
    remedy: 'Run PRAGMA quick_check in the application, where the collation is known.',
  }
}

/** Connects and asks what the run needs of the target. The client is null when it can't be reached. */
export async function checkTarget(
  target: Target,
  mode: Mode,
  sourceBytes: number,
  now: number,
): Promise<Check[]> {
  let client: pg.Client | undefined
  try {
    client = await connectTarget(target)
  } catch (error) {
    return [redCheck('target-connection', 'Target answers', error)]
  }
  const checks: Check[] = [
    {
      id: 'target-connection',
      title: 'Target answers',
      state: 'green',
      detail: `${target.user} at ${target.host}:${target.port}, database ${target.database}.`,
    },
  ]
  try {
    checks.push(await checkServer(client, mode))
    checks.push(await checkEncoding(client))
    if (mode !== 'compare') {
      checks.push(await checkRights(client, target, mode))
      checks.push(await checkSpace(client, sourceBytes))
    }
    checks.push(await checkClock(client, now))
  } catch (error) {
    checks.push(redUnlessLost('target-questions', 'Target can be examined', error, target))
  } finally {
    await disconnect(client)
  }
  return checks
}

async function checkServer(client: pg.Client, mode: Mode): Promise<Check> {
  const { rows } = await client.query(
    `SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number,
            pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' AS "readOnly"`,
  )
  return versionCheck(rows[0], mode)
}

/** PostgreSQL 13 or newer that takes writes. `number` as of server_version_num. */
export function versionCheck(
  server: { version: string; number: number; readOnly: boolean },
  mode: Mode,
): Check {
  const { version, number, readOnly } = server
  if (number < 130000) {
    return {
      id: 'target-version',
      title: 'Version',
      state: 'red',
      detail: `PostgreSQL ${version}.`,
      remedy: 'Upgrade to PostgreSQL 13 or newer.',
    }
  }
  if (readOnly && mode !== 'compare') {
    return {
      id: 'target-version',
      title: 'Version',
      state: 'red',
      detail: `PostgreSQL ${version} is a replica or read-only.`,
      remedy: 'Name the primary.',
    }
  }
  return { id: 'target-version', title: 'Version', state: 'green', detail: `PostgreSQL ${version}.` }
}

async function checkEncoding(client: pg.Client): Promise<Check> {
  const { rows } = await client.query(
    `SELECT pg_encoding_to_char(encoding) AS encoding FROM pg_database WHERE datname = current_database()`,
  )
  const ok = rows[0].encoding === 'UTF8'
  return {
    id: 'target-encoding',
    title: 'Encoding',
    state: ok ? 'green' : 'red',
    detail: `The database is in ${rows[0].encoding}.`,
    ...(!ok && { remedy: `CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0;` }),
  }
}

/** PostgreSQL 15 and newer give no CREATE on public (https://www.postgresql.org/docs/15/release-15.html). */
async function checkRights(client: pg.Client, target: Target, mode: Mode): Promise<Check> {
  const { rows } = await client.query(
    `SELECT has_database_privilege(current_database(), 'CREATE') AS database,
            (SELECT has_schema_privilege(oid, 'CREATE') AND has_schema_privilege(oid, 'USAGE') FROM pg_namespace WHERE nspname = $1) AS schema,
            (SELECT has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE nspname = $2) AS bookkeeping`,
    [target.schema, BOOKKEEPING],
  )
  const { database, schema, bookkeeping } = rows[0]
  const grants: string[] = []
  if (!database && (bookkeeping !== true || schema === null)) {
    grants.push(`GRANT CREATE ON DATABASE ${q(target.database)} TO ${q(target.user)};`)
  }
  if (mode === 'create' && schema === false) {
    grants.push(`GRANT USAGE, CREATE ON SCHEMA ${q(target.schema)} TO ${q(target.user)};`)
  }
  return {
    id: 'target-rights',
    title: 'Rights',
    state: grants.length === 0 ? 'green' : 'red',
    detail:
      grants.length === 0
        ? `${target.user} may create what the run needs.`
        : `${target.user} may not create tables in schema ${target.schema}, or the schema ${BOOKKEEPING} for checkpoints.`,
    ...(grants.length > 0 && { remedy: grants.join(' ') }),
  }
}

/** PostgreSQL tells no free space; the forecast is data with indexes and WAL at about 2.5 times the file. */
async function checkSpace(client: pg.Client, sourceBytes: number): Promise<Check> {
  const { rows } = await client.query(`SELECT pg_database_size(current_database())::float8 AS bytes`)
  const megabytes = (bytes: number) => `${Math.ceil(bytes / 1e6).toLocaleString('en')} MB`
  return {
    id: 'target-space',
    title: 'Space',
    state: 'green',
    detail: `About ${megabytes(sourceBytes * 2.5)} are needed on the server's disk, WAL included; the database has ${megabytes(rows[0].bytes)} now. PostgreSQL doesn't tell what is free.`,
  }
}

async function checkClock(client: pg.Client, now: number): Promise<Check> {
  const { rows } = await client.query(`SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS at`)
  const seconds = Math.round(Math.abs(Number(rows[0].at) - now) / 1000)
  return {
    id: 'target-clock',
    title: 'Clocks agree',
    state: seconds <= 30 ? 'green' : 'amber',
    detail:
      seconds <= 30 ? `They differ by ${seconds} s at most.` : `The server's clock is ${seconds} s off.`,
    ...(seconds > 30 && {
      remedy: 'Set both clocks by NTP: defaults like CURRENT_TIMESTAMP come from the server.',
    }),
  }
}
