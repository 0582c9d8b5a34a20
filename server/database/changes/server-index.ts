import { databaseCode } from '@/db/errors'
import { MARK } from '../inspect/mark'
import type { DirectConnection } from '../pool/pool'
import type { PostgresSource } from './source'
import type { Row } from './units'

/** What is to be done to one index of a PostgreSQL server. */
export interface Step {
  statement: string
  /** Whether the index is to be there afterwards. */
  present: boolean
  table: string
  index: string
}

export function stepOf({ kind, state, ddl, undo, table, index }: Row): Step {
  const undoing = state === 'undoing'
  return { statement: undoing ? undo : ddl, present: (kind === 'create') !== undoing, table, index }
}

/** How long the change waits for others to let the table go before it begins. */
const START_LOCK_MS = 10_000

/**
 * Runs one CREATE or DROP INDEX CONCURRENTLY on a connection of its own, without a deadline. Throws what the server
 * raised; `settle` tells afterwards what came of it, whatever happened here.
 */
export async function change(database: PostgresSource, step: Step): Promise<void> {
  await connected(database, async (ask) => {
    const found = await look(ask, step)
    if (step.present && found.index === 'valid') throw new AlreadyThere()
    // Its own waits have no bound once it runs: it holds nobody up. Only that it can begin is tried before.
    await ask('BEGIN')
    await ask(`SET LOCAL lock_timeout = ${START_LOCK_MS}`)
    await ask(`LOCK TABLE ${step.table} IN SHARE UPDATE EXCLUSIVE MODE`)
    await ask('COMMIT')
    await ask(step.statement)
  })
}

/**
 * What came of a change, with leftovers of a failed one removed; `still` while the server works on it.
 * @param options.patient whether the server may still do so: its backend did not tell that it failed.
 */
export async function settle(
  database: PostgresSource,
  step: Step,
  { patient }: { patient: boolean },
): Promise<'done' | 'not done' | 'still'> {
  return connected(database, async (ask) => {
    const { index, schema, worked } = await look(ask, step)
    if (worked && patient) return 'still'
    // A CREATE that broke off, and a DROP as well, leave an index that every write keeps up and no query uses.
    if (index === 'invalid') {
      await ask(`DROP INDEX CONCURRENTLY IF EXISTS ${quoted(schema)}.${quoted(step.index)}`)
    }
    return (index === 'valid') === step.present ? 'done' : 'not done'
  })
}

/** An index of that name is there, by whoever. */
class AlreadyThere extends Error {
  override name = 'AlreadyThere'
  readonly code = '42P07'
}

type Ask = (text: string, values?: unknown[]) => Promise<{ rows: Record<string, unknown>[] }>

async function connected<T>(database: PostgresSource, work: (ask: Ask) => Promise<T>): Promise<T> {
  const connection: DirectConnection = await database.client.direct()
  const ask = ((text: string, values?: unknown[]) =>
    connection.query(text as never, values as never)) as unknown as Ask
  let lost: ((error: Error) => void) | undefined
  const ended = new Promise<never>((_, reject) => {
    lost = reject
  })
  ended.catch(() => {})
  connection.onLost(() => lost?.(Object.assign(new Error('The connection was lost.'), { code: '08006' })))
  try {
    const working = (async () => {
      await ask('SET statement_timeout = 0')
      await ask('SET lock_timeout = 0')
      await ask('SET idle_in_transaction_session_timeout = 0')
      return work(ask)
    })()
    working.catch(() => {})
    return await Promise.race([working, ended])
  } finally {
    connection.release(true)
  }
}

/** Building and dropping concurrently hold this lock on the table from begin to end, as VACUUM does. */
const LOOK = `${MARK}
  SELECT n.nspname AS schema,
         i.indisvalid AND i.indisready AND i.indislive AS valid,
         EXISTS (SELECT
                   FROM pg_locks l
                   JOIN pg_stat_activity a ON a.pid = l.pid
                  WHERE l.relation = t.oid AND l.mode = 'ShareUpdateExclusiveLock'
                    AND a.backend_type = 'client backend' AND l.pid <> pg_backend_pid()) AS worked
    FROM (SELECT to_regclass($1) AS oid) t
    LEFT JOIN (pg_index i JOIN pg_class c ON c.oid = i.indexrelid AND c.relname = $2
                          JOIN pg_namespace n ON n.oid = c.relnamespace) ON i.indrelid = t.oid`

interface Seen {
  index: 'valid' | 'invalid' | 'missing'
  schema: string
  worked: boolean
}

async function look(ask: Ask, { table, index }: Step): Promise<Seen> {
  const [row] = (await ask(LOOK, [table, index])).rows
  const schema = row?.schema
  return {
    index: typeof schema !== 'string' ? 'missing' : row?.valid === true ? 'valid' : 'invalid',
    schema: typeof schema === 'string' ? schema : '',
    worked: row?.worked === true,
  }
}

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`

/** What went wrong, in a sentence without anything of the server's own message: that can hold values. */
export function sentenceOf(error: unknown): string {
  const code = databaseCode(error)
  if (!code) return 'The server did not finish it.'
  const words = SENTENCES[code] ?? (isLost(error) ? LOST : undefined)
  return words ?? `The server refused it (${code}).`
}

/** The connection broke: nobody told what became of the statement. */
export function isLost(error: unknown): boolean {
  const code = databaseCode(error)
  return code === undefined || /^(08|57P|E[A-Z]+$|DATABASE_)/.test(code)
}

const LOST = 'The connection to the server was lost while it worked.'
const SENTENCES: Record<string, string> = {
  '55P03': `Another transaction held the table for ${START_LOCK_MS / 1000} s. Try again when it has ended.`,
  '57014': 'Somebody cancelled the statement.',
  '42P07': 'An index of that name is there already.',
  '42704': 'The index is not there any more.',
  '42P01': 'The table is not there any more.',
  '42703': 'A column of it is not there any more.',
  '42501': 'The role may not make or drop indexes on this table: it must own it.',
  '23505': 'The table holds values twice that the index would forbid.',
  '25006': 'The server takes no writes at this moment.',
  '40P01': 'It was in a deadlock with another transaction.',
  '53100': 'The disk of the server is full.',
  '53200': 'The server has not enough memory for it.',
  SQLITE_ERROR: 'The table, a column or the index has changed meanwhile.',
  SQLITE_FULL: 'The disk is full.',
  SQLITE_BUSY: 'Another program held the file locked.',
}
