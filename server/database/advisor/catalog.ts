import { quoteName } from './normalise'
import { type PrivateConnection, run } from './planner'
import type { Source } from './statement'
import type { ColumnFacts, ExistingIndex, TableFacts } from './types'

/** Reads what PostgreSQL knows of a table; undefined for a view, a table that isn't there, or no right to read it. */
export async function readTable(
  connection: PrivateConnection,
  source: Source,
): Promise<TableFacts | undefined> {
  const name = source.schema
    ? `${quoteName(source.schema)}.${quoteName(source.table)}`
    : quoteName(source.table)
  const [table] = await run(connection, TABLE, [name])
  if (!table) return undefined
  const rows = Math.max(0, Number(table.rows))
  const columns = await run(connection, COLUMNS, [table.oid])
  const indexes = await run(connection, INDEXES, [table.oid])
  return {
    schema: table.visible === true ? null : String(table.schema),
    name: String(table.name),
    rows,
    pages: Number(table.pages),
    visibleShare: Number(table.pages) > 0 ? Number(table.visible_pages) / Number(table.pages) : 0,
    columns: new Map(columns.map((column) => [String(column.name), columnFacts(column, rows)])),
    indexes: indexes.map(existingIndex),
    writes: {
      inserts: Number(table.inserts),
      updates: Number(table.updates),
      deletes: Number(table.deletes),
    },
    // −1 rows: nobody has counted them yet.
    analysed: columns.some((column) => column.n_distinct !== null) || Number(table.rows) === 0,
  }
}

const TABLE = `
  SELECT c.oid, c.relname AS name, n.nspname AS schema, pg_table_is_visible(c.oid) AS visible,
         c.reltuples AS rows, pg_relation_size(c.oid) / current_setting('block_size')::int AS pages,
         c.relallvisible AS visible_pages,
         coalesce(s.n_tup_ins, 0) AS inserts, coalesce(s.n_tup_upd, 0) AS updates, coalesce(s.n_tup_del, 0) AS deletes
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid
   WHERE c.oid = to_regclass($1) AND c.relkind IN ('r', 'm') AND c.relpersistence <> 't'`

const COLUMNS = `
  SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
         s.n_distinct, s.null_frac, s.avg_width, s.correlation, s.most_common_freqs[1] AS top,
         (SELECT sum(f * f) FROM unnest(s.most_common_freqs) f) AS same,
         t.typcategory = 'S' AND coalesce(co.collname, 'default') NOT IN ('C', 'POSIX', 'ucs_basic')
           AND NOT (coalesce(co.collname, 'default') = 'default' AND d.datcollate IN ('C', 'POSIX')) AS pattern,
         EXISTS (SELECT FROM pg_opclass o
                   JOIN pg_am m ON m.oid = o.opcmethod AND m.amname = 'btree'
                  WHERE o.opcdefault AND (o.opcintype = a.atttypid
                     OR (t.typcategory = 'S' AND o.opcintype = 'text'::regtype)
                     OR (t.typcategory = 'E' AND o.opcintype = 'anyenum'::regtype))) AS sortable
    FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_type t ON t.oid = a.atttypid
    JOIN pg_database d ON d.datname = current_database()
    LEFT JOIN pg_collation co ON co.oid = a.attcollation
    LEFT JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = a.attname
                        AND NOT s.inherited
   WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
   ORDER BY a.attnum`

const INDEXES = `
  SELECT c.relname AS name, m.amname AS method, i.indisunique, i.indisprimary, i.indisvalid,
         pg_get_expr(i.indpred, i.indrelid) AS predicate, i.indnkeyatts AS keys,
         ARRAY(SELECT coalesce((SELECT a.attname FROM pg_attribute a
                                 WHERE a.attrelid = i.indrelid AND a.attnum = i.indkey[k - 1] AND a.attnum > 0),
                               pg_get_indexdef(i.indexrelid, k, true))::text
                 FROM generate_series(1, i.indnatts) k ORDER BY k) AS columns
    FROM pg_index i
    JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_am m ON m.oid = c.relam
   WHERE i.indrelid = $1`

/** n_distinct is a number, or with a minus sign a share of the rows (PostgreSQL manual, pg_stats). */
function columnFacts(row: Record<string, unknown>, rows: number): ColumnFacts {
  const distinct = row.n_distinct === null ? null : Number(row.n_distinct)
  return {
    name: String(row.name),
    type: String(row.type),
    distinct: distinct === null ? null : distinct < 0 ? Math.max(1, -distinct * rows) : Math.max(1, distinct),
    nullShare: Number(row.null_frac ?? 0),
    topShare: Number(row.top ?? 0),
    sameShare: Number(row.same ?? 0),
    width: Number(row.avg_width ?? 8),
    correlation: Number(row.correlation ?? 0),
    needsPatternOperators: row.pattern === true,
    sortable: row.sortable === true,
  }
}

function existingIndex(row: Record<string, unknown>): ExistingIndex {
  const columns = row.columns as string[]
  return {
    name: String(row.name),
    keys: columns.slice(0, Number(row.keys)),
    include: columns.slice(Number(row.keys)),
    where: row.predicate === null ? null : String(row.predicate),
    unique: row.indisunique === true,
    primary: row.indisprimary === true,
    valid: row.indisvalid === true,
    method: String(row.method),
  }
}
