import { quoteName } from '../advisor/normalise'
import { type Ask, attempt, type Inspection, type Row } from './connection'
import { MARK } from './mark'
import { missingRights } from './postgres-sessions'
import { type Counted, type Grouped, grouped, MOST_TEXTS, ownStatements } from './statements'
import { LONGEST_TEXT } from './text'
import type { Missing, Statements } from './types'

const DEADLINE = 5_000

/** Where the extension is, what its view is called there, and whether the server has loaded it and could. */
const EXTENSION = `
  SELECT current_setting('pg_stat_statements.max', true) IS NOT NULL                    AS loaded,
         EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_stat_statements')  AS available,
         n.nspname                                                                       AS schema,
         ARRAY(SELECT a.attname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
                WHERE c.relnamespace = n.oid AND c.relname = 'pg_stat_statements' AND a.attnum > 0) AS columns,
         EXISTS (SELECT FROM pg_class c
                  WHERE c.relnamespace = n.oid AND c.relname = 'pg_stat_statements_info') AS told
    FROM (SELECT) AS here
    LEFT JOIN pg_extension e ON e.extname = 'pg_stat_statements'
    LEFT JOIN pg_namespace n ON n.oid = e.extnamespace`

interface View {
  name: string
  columns: string[]
  /** Whether it tells since when it counts. */
  told: boolean
}

/**
 * Statements of all clients of this database where pg_stat_statements tells them, otherwise those that this process
 * sent. What the inspection asks is left out of both.
 */
export function readStatements(inspection: Inspection, openedAt: number): Promise<Statements & Grouped> {
  const { user } = inspection.pool.config
  const own = (missing: Missing) =>
    ownStatements(inspection.pool.statements(), openedAt, {
      ...missing,
      message: `${missing.message} These are the statements that this console sent.`,
    })
  return inspection.within(DEADLINE, async (ask) => {
    const view = await findView(ask)
    if ('kind' in view) return own(view)
    const rows = await attempt(ask, countedIn(view), [MARK])
    if (typeof rows === 'string') return own(refused(rows, view.name, user))
    return {
      source: 'pg_stat_statements',
      since: view.told ? await readSince(ask, view) : null,
      missing: await missingRights(ask),
      ...grouped(rows.map(toCounted), Number(rows[0]?.of_all ?? 0)),
    }
  })
}

/** Why pg_stat_statements can't be read; null where it can. Asks within a transaction. */
export async function missingStatements(ask: Ask, user: string): Promise<Missing | null> {
  const view = await findView(ask)
  if ('kind' in view) return view
  const rows = await attempt(ask, `SELECT queryid FROM ${view.name} LIMIT 1`)
  return typeof rows === 'string' ? refused(rows, view.name, user) : null
}

async function findView(ask: Ask): Promise<View | Missing> {
  const [extension = {}] = await ask(EXTENSION)
  if (!extension.schema) return notInstalled(extension)
  return {
    name: `${quoteName(String(extension.schema))}.pg_stat_statements`,
    columns: extension.columns as string[],
    told: extension.told === true,
  }
}

/** Since version 1.8 of the extension planning is timed apart. Who may not see others' statements gets no id of them. */
function countedIn({ name, columns }: View): string {
  const [total, max] = columns.includes('total_exec_time')
    ? ['total_exec_time', 'max_exec_time']
    : ['total_time', 'max_time']
  return `
    SELECT left(query, ${LONGEST_TEXT}) AS text, calls, ${total} AS total_ms, ${max} AS max_ms, rows,
           shared_blks_hit AS hits, shared_blks_hit + shared_blks_read AS reads,
           sum(${total}) OVER () AS of_all
      FROM ${name}
     WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
       AND queryid IS NOT NULL AND position($1 IN query) = 0
     ORDER BY ${total} DESC
     LIMIT ${MOST_TEXTS}`
}

async function readSince(ask: Ask, { name }: View): Promise<number | null> {
  const rows = await attempt(
    ask,
    `SELECT extract(epoch FROM stats_reset)::float8 * 1000 AS since FROM ${name}_info`,
  )
  const since = typeof rows === 'string' ? null : rows[0]?.since
  return since == null ? null : Math.floor(Number(since))
}

function toCounted(row: Row): Counted {
  return {
    text: String(row.text),
    calls: Number(row.calls),
    totalMs: Number(row.total_ms),
    maxMs: Number(row.max_ms),
    rows: Number(row.rows),
    errors: null,
    hits: Number(row.hits),
    reads: Number(row.reads),
  }
}

const LOAD = "add pg_stat_statements to shared_preload_libraries in PostgreSQL's configuration and restart it"
const CREATE = 'CREATE EXTENSION pg_stat_statements'

function notInstalled({ loaded, available }: Row): Missing {
  const load = loaded === true ? '' : `${LOAD}, then `
  const install = available === true ? '' : "install PostgreSQL's contrib package, "
  return {
    kind: 'not-enabled',
    message: `pg_stat_statements is not installed in this database.`,
    remedy: sentence(`${install}${load}${CREATE}`),
  }
}

/** 55000: the extension is there, but the server did not load its library when it began. */
function refused(code: string, view: string, user: string): Missing {
  if (code === '42501') {
    const [schema, role] = [view.slice(0, view.lastIndexOf('.')), quoteName(user)]
    return {
      kind: 'no-permission',
      message: `The role ${user} may not read pg_stat_statements.`,
      remedy: `GRANT USAGE ON SCHEMA ${schema} TO ${role}; GRANT SELECT ON ${view} TO ${role}`,
    }
  }
  return code === '55000'
    ? {
        kind: 'not-enabled',
        message: `PostgreSQL has not loaded pg_stat_statements.`,
        remedy: sentence(LOAD),
      }
    : {
        kind: 'not-enabled',
        message: `pg_stat_statements did not answer (${code}).`,
        remedy: null,
      }
}

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
