import { quoteName } from './normalise'
import { invalid, overlaps, readIndexes, unused } from './overlaps'
import { type PrivateConnection, run } from './planner'

/** What is wrong with the indexes and statistics that are there, whoever's statements they serve. */
export interface IndexProblem {
  kind:
    | 'duplicate'
    | 'redundant'
    | 'unused'
    | 'invalid'
    | 'foreign-key'
    | 'stale-statistics'
    | 'long-transaction'
  /** schema.table, or of a transaction who runs it. */
  place: string
  /** The index it is about; null where there is none. */
  index: string | null
  because: string
  bytes: number
  /** What mends it, and what takes that back; null where a person must decide. */
  ddl: string | null
  undo: string | null
}

export interface ProblemOptions {
  /** An index that was never read since the counters began counts as unused after this long. */
  unusedAfterDays: number
  /** A transaction open for this long keeps VACUUM from what was deleted meanwhile. */
  longTransactionSeconds: number
}

const DEFAULTS: ProblemOptions = { unusedAfterDays: 14, longTransactionSeconds: 300 }

/** Looks through the catalog; reads only. What the role may not see is left out. */
export async function findIndexProblems(
  connection: PrivateConnection,
  options: Partial<ProblemOptions> = {},
): Promise<IndexProblem[]> {
  const settings = { ...DEFAULTS, ...options }
  const indexes = await readIndexes(connection)
  return [
    ...indexes.filter(({ valid }) => !valid).map(invalid),
    ...overlaps(indexes),
    ...unused(indexes, settings),
    ...(await run(connection, FOREIGN_KEYS)).map(foreignKey),
    ...(await run(connection, STALE)).map(stale),
    ...(await run(connection, TRANSACTIONS, [settings.longTransactionSeconds])).map(transaction),
  ]
}

/** A key without an index makes every delete of its target read the whole table. Tables of a few pages are left out. */
const FOREIGN_KEYS = `
  SELECT n.nspname AS schema, t.relname AS "table", o.conname AS name, o.confrelid::regclass::text AS target,
         ARRAY(SELECT a.attname::text FROM unnest(o.conkey) WITH ORDINALITY k(num, at)
                 JOIN pg_attribute a ON a.attrelid = o.conrelid AND a.attnum = k.num ORDER BY k.at) AS columns
    FROM pg_constraint o
    JOIN pg_class t ON t.oid = o.conrelid
    JOIN pg_namespace n ON n.oid = t.relnamespace
   WHERE o.contype = 'f' AND o.conparentid = 0 AND pg_relation_size(t.oid) > 16 * current_setting('block_size')::int
     AND NOT EXISTS (
       SELECT FROM pg_index i
        WHERE i.indrelid = o.conrelid AND i.indisvalid AND i.indnkeyatts >= cardinality(o.conkey)
          AND (i.indpred IS NULL OR pg_get_expr(i.indpred, i.indrelid) LIKE '(% IS NOT NULL)')
          AND (SELECT array_agg(k) FROM unnest((i.indkey::int2[])[0:cardinality(o.conkey) - 1]) k) @> o.conkey)
   ORDER BY 1, 2, 3`

function foreignKey(row: Record<string, unknown>): IndexProblem {
  const columns = row.columns as string[]
  const name = `${row.table}_${columns.join('_')}_fkey_idx`.slice(0, 63)
  const place = `${quoteName(String(row.schema))}.${quoteName(String(row.table))}`
  return {
    kind: 'foreign-key',
    place,
    index: null,
    because: `The foreign key ${row.name} has no index: whoever deletes from ${row.target} reads all of ${row.table} for each row.`,
    bytes: 0,
    ddl: `CREATE INDEX CONCURRENTLY ${quoteName(name)} ON ${place} (${columns.map(quoteName).join(', ')})`,
    undo: `DROP INDEX CONCURRENTLY ${quoteName(String(row.schema))}.${quoteName(name)}`,
  }
}

/** More changes than twice what makes autovacuum analyse (PostgreSQL manual, "The Autovacuum Daemon"), or never analysed. */
const STALE = `
  SELECT s.schemaname AS schema, s.relname AS "table", s.n_mod_since_analyze AS changes, s.n_live_tup AS rows,
         s.last_analyze IS NULL AND s.last_autoanalyze IS NULL
           AND NOT EXISTS (SELECT FROM pg_stats p WHERE p.schemaname = s.schemaname AND p.tablename = s.relname) AS never
    FROM pg_stat_user_tables s
   WHERE s.n_live_tup + s.n_mod_since_analyze > 1000
     AND s.n_mod_since_analyze > 2 * (current_setting('autovacuum_analyze_threshold')::float
           + current_setting('autovacuum_analyze_scale_factor')::float * s.n_live_tup)
      OR (s.last_analyze IS NULL AND s.last_autoanalyze IS NULL AND s.n_live_tup > 1000
          AND NOT EXISTS (SELECT FROM pg_stats p WHERE p.schemaname = s.schemaname AND p.tablename = s.relname))
   ORDER BY 1, 2`

function stale(row: Record<string, unknown>): IndexProblem {
  const place = `${quoteName(String(row.schema))}.${quoteName(String(row.table))}`
  return {
    kind: 'stale-statistics',
    place,
    index: null,
    because:
      row.never === true
        ? `${row.table} was never analysed: plans on it are guesses.`
        : `${row.changes} of the about ${row.rows} rows of ${row.table} changed since its statistics were taken.`,
    bytes: 0,
    ddl: `ANALYZE ${place}`,
    undo: null,
  }
}

const TRANSACTIONS = `
  SELECT pid, usename, coalesce(application_name, '') AS application, state,
         extract(epoch FROM now() - xact_start) AS seconds
    FROM pg_stat_activity
   WHERE backend_type = 'client backend' AND datname = current_database() AND pid <> pg_backend_pid()
     AND xact_start < now() - $1 * interval '1 second'
   ORDER BY xact_start`

function transaction(row: Record<string, unknown>): IndexProblem {
  return {
    kind: 'long-transaction',
    place: `process ${row.pid} of ${row.usename}${row.application ? ` (${row.application})` : ''}`,
    index: null,
    because: `Its transaction has been open for ${Math.round(Number(row.seconds))} s (${row.state}): VACUUM cannot remove what was deleted since.`,
    bytes: 0,
    ddl: null,
    undo: null,
  }
}
