import { quoteName } from './normalise'
import { type PrivateConnection, run } from './planner'
import type { IndexProblem, ProblemOptions } from './problems'

/** The indexes that are there: unfinished ones, ones that another serves for, ones that nobody reads. */

/** Every index of the database but the system's, with what its removal would take away. */
export async function readIndexes(connection: PrivateConnection): Promise<Index[]> {
  return (await run(connection, INDEXES)).map(readIndex)
}

export interface Index {
  name: string
  schema: string
  table: string
  definition: string
  /** Keys with their operator class and direction, then what is included. */
  keys: string[]
  include: string[]
  predicate: string | null
  method: string
  unique: boolean
  /** A constraint stands on it: it cannot be dropped by itself. */
  constraint: boolean
  /** A foreign key of another table refers to it, or the replica identity is it. */
  needed: boolean
  valid: boolean
  scans: number
  bytes: number
  countedDays: number
}

const INDEXES = `
  SELECT c.relname AS name, n.nspname AS schema, t.relname AS "table", pg_get_indexdef(i.indexrelid) AS definition,
         ARRAY(SELECT pg_get_indexdef(i.indexrelid, k, true)
                      || ' ' || coalesce(i.indclass[k - 1], 0) || ' ' || coalesce(i.indcollation[k - 1], 0)
                      || ' ' || coalesce(i.indoption[k - 1], 0)
                 FROM generate_series(1, i.indnkeyatts) k ORDER BY k) AS keys,
         ARRAY(SELECT pg_get_indexdef(i.indexrelid, k, true)
                 FROM generate_series(i.indnkeyatts + 1, i.indnatts) k ORDER BY k) AS include,
         pg_get_expr(i.indpred, i.indrelid) AS predicate, m.amname AS method, i.indisunique,
         EXISTS (SELECT FROM pg_constraint o WHERE o.conindid = i.indexrelid AND o.contype IN ('p', 'u', 'x')) AS is_constraint,
         i.indisreplident OR i.indisclustered
           OR EXISTS (SELECT FROM pg_constraint o WHERE o.conindid = i.indexrelid AND o.contype = 'f') AS needed,
         i.indisvalid AND i.indisready AS valid, coalesce(s.idx_scan, 0) AS scans,
         pg_relation_size(i.indexrelid) AS bytes,
         extract(epoch FROM now() - coalesce(d.stats_reset, pg_postmaster_start_time())) / 86400 AS days
    FROM pg_index i
    JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_class t ON t.oid = i.indrelid
    JOIN pg_namespace n ON n.oid = t.relnamespace
    JOIN pg_am m ON m.oid = c.relam
    JOIN pg_stat_database d ON d.datname = current_database()
    LEFT JOIN pg_stat_all_indexes s ON s.indexrelid = i.indexrelid
   WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_toast%'
     AND n.nspname NOT LIKE 'pg\\_temp%' AND c.relkind = 'i' AND NOT c.relispartition
   ORDER BY n.nspname, t.relname, c.relname`

function readIndex(row: Record<string, unknown>): Index {
  return {
    name: String(row.name),
    schema: String(row.schema),
    table: String(row.table),
    definition: String(row.definition),
    keys: row.keys as string[],
    include: row.include as string[],
    predicate: row.predicate === null ? null : String(row.predicate),
    method: String(row.method),
    unique: row.indisunique === true,
    constraint: row.is_constraint === true,
    needed: row.needed === true,
    valid: row.valid === true,
    scans: Number(row.scans),
    bytes: Number(row.bytes),
    countedDays: Number(row.days),
  }
}

const placeOf = ({ schema, table }: Index): string => `${quoteName(schema)}.${quoteName(table)}`
const dropOf = ({ schema, name }: Index): string =>
  `DROP INDEX CONCURRENTLY ${quoteName(schema)}.${quoteName(name)}`
const remake = ({ definition }: Index): string =>
  definition.replace(/^CREATE (UNIQUE )?INDEX /, (_, unique = '') => `CREATE ${unique}INDEX CONCURRENTLY `)

const about = (index: Index): Pick<IndexProblem, 'place' | 'index' | 'bytes'> => ({
  place: placeOf(index),
  index: index.name,
  bytes: index.bytes,
})

export function invalid(index: Index): IndexProblem {
  return {
    kind: 'invalid',
    ...about(index),
    because: `${index.name} was not finished, so no query uses it, and every write still keeps it up.`,
    ddl: `REINDEX INDEX CONCURRENTLY ${quoteName(index.schema)}.${quoteName(index.name)}`,
    undo: null,
  }
}

/** An index whose every use another one serves as well. Of two equal ones the unique, needed or older-named stays. */
export function overlaps(indexes: Index[]): IndexProblem[] {
  const found: IndexProblem[] = []
  const gone = new Set<Index>()
  for (const index of indexes) {
    if (!index.valid || index.constraint || index.needed || gone.has(index)) continue
    const better = indexes.find(
      (other) => other !== index && !gone.has(other) && other.valid && serves(other, index),
    )
    if (!better) continue
    gone.add(index)
    const equal = better.keys.length === index.keys.length && better.include.length === index.include.length
    found.push({
      kind: equal ? 'duplicate' : 'redundant',
      ...about(index),
      because: equal
        ? `${index.name} is the same as ${better.name}: every write keeps both up.`
        : `${better.name} begins with the columns of ${index.name} and serves the same queries.`,
      ddl: dropOf(index),
      undo: remake(index),
    })
  }
  return found
}

function serves(other: Index, index: Index): boolean {
  if (
    placeOf(other) !== placeOf(index) ||
    other.method !== index.method ||
    other.predicate !== index.predicate
  )
    return false
  const begins = index.keys.every((key, at) => other.keys[at] === key)
  if (!begins || (other.keys.length > index.keys.length && index.method !== 'btree')) return false
  const columns = [...other.keys.map((key) => key.replace(/ \d+ \d+ \d+$/, '')), ...other.include]
  if (!index.include.every((name) => columns.includes(name))) return false
  // Uniqueness is a rule, not a way to rows: only the same rule replaces it.
  return !index.unique || (other.unique && other.keys.length === index.keys.length)
}

export function unused(indexes: Index[], { unusedAfterDays }: ProblemOptions): IndexProblem[] {
  return indexes
    .filter((index) => index.valid && !index.unique && !index.constraint && !index.needed)
    .filter(({ scans, countedDays }) => scans === 0 && countedDays >= unusedAfterDays)
    .map((index) => ({
      kind: 'unused',
      ...about(index),
      because: `No query on this server has used ${index.name} for ${Math.floor(index.countedDays)} days. Replicas count for themselves: look there too.`,
      ddl: dropOf(index),
      undo: remake(index),
    }))
}
