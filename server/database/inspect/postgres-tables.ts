import { type Ask, attempted, type Inspection, type Row } from './connection'
import type { IndexFigures, TableFigures } from './types'

const DEADLINE = 5_000
/** Sizes are asked of the file system; what takes longer is told as VACUUM left it. */
const SIZES_DEADLINE = 2_500
const MOST = 1_000

/** Nobody's size is asked for on which a lock is held or waited for that would hold up the question. */
const TABLES = (sizes: boolean) => `
  WITH locked AS (
    SELECT relation FROM pg_locks
     WHERE mode = 'AccessExclusiveLock' AND pid <> pg_backend_pid()
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  ), first AS (
    SELECT c.oid, n.nspname, c.relname, c.relpages, c.reltuples, c.reloptions, c.reltoastrelid,
           EXISTS (SELECT FROM locked l WHERE l.relation = c.oid
                      OR l.relation IN (SELECT indexrelid FROM pg_index WHERE indrelid = c.oid)) AS locked
      FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'm') AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
     ORDER BY greatest(c.relpages, pg_stat_get_live_tuples(c.oid) / 100) DESC
     LIMIT ${MOST}
  )
  SELECT t.oid, t.nspname, t.relname, t.locked OR ${!sizes} AS estimated,
         CASE WHEN t.locked OR ${!sizes} THEN
           (t.relpages + coalesce((SELECT relpages FROM pg_class WHERE oid = t.reltoastrelid), 0))
             * current_setting('block_size')::bigint
         ELSE ${sizes ? 'pg_table_size(t.oid)' : '0'} END AS table_bytes,
         CASE WHEN s.n_live_tup = 0 AND s.n_tup_ins + s.n_tup_upd + s.n_tup_del = 0
              THEN nullif(t.reltuples, -1) ELSE s.n_live_tup END AS rows,
         s.n_dead_tup AS dead_rows, greatest(s.last_vacuum, s.last_autovacuum) AS last_vacuum,
         greatest(s.last_analyze, s.last_autoanalyze) AS last_analyze,
         s.seq_scan, s.idx_scan, s.n_tup_ins, s.n_tup_upd, s.n_tup_del,
         CASE WHEN current_setting('autovacuum')::bool AND coalesce(o.enabled, true) THEN
           least(coalesce(o.threshold, current_setting('autovacuum_vacuum_threshold')::float8)
                   + coalesce(o.factor, current_setting('autovacuum_vacuum_scale_factor')::float8)
                     * greatest(t.reltuples, 0),
                 nullif(coalesce(o.most, current_setting('autovacuum_vacuum_max_threshold', true)::float8), -1))
         END AS vacuum_at
    FROM first t
    JOIN pg_stat_all_tables s ON s.relid = t.oid,
         LATERAL (
           SELECT max(option_value) FILTER (WHERE option_name = 'autovacuum_enabled')::bool                    AS enabled,
                  max(option_value) FILTER (WHERE option_name = 'autovacuum_vacuum_threshold')::float8          AS threshold,
                  max(option_value) FILTER (WHERE option_name = 'autovacuum_vacuum_scale_factor')::float8       AS factor,
                  max(option_value) FILTER (WHERE option_name = 'autovacuum_vacuum_max_threshold')::float8      AS most
             FROM pg_options_to_table(t.reloptions)
         ) o`

/** pg_get_indexdef waits for a lock on the table: of one that is locked the columns are told as they are called. */
const INDEXES = `
  SELECT i.indrelid, c.relname AS name,
         CASE WHEN i.indrelid = ANY ($2)
              THEN format('CREATE %sINDEX %I ON %I.%I USING %I (%s)', CASE WHEN i.indisunique THEN 'UNIQUE ' END,
                          c.relname, n.nspname, t.relname, m.amname,
                          (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
                             FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum <= i.indnkeyatts))
              ELSE pg_get_indexdef(i.indexrelid) END AS ddl,
         CASE WHEN i.indrelid = ANY ($2) THEN c.relpages * current_setting('block_size')::bigint
              ELSE pg_relation_size(i.indexrelid) END AS bytes,
         s.idx_scan, i.indisunique, i.indisprimary, i.indisvalid AND i.indisready AND i.indislive AS valid
    FROM pg_index i
    JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_am m ON m.oid = c.relam
    JOIN pg_class t ON t.oid = i.indrelid
    JOIN pg_namespace n ON n.oid = t.relnamespace
    LEFT JOIN pg_stat_all_indexes s ON s.indexrelid = i.indexrelid
   WHERE i.indrelid = ANY ($1)
   ORDER BY i.indisprimary DESC, c.relname`

/**
 * Tables and materialised views outside the system's schemas, the largest ${MOST} of them, with their indexes. Of a
 * partitioned table the partitions. What cannot be measured for a lock is `estimated`.
 */
export function readTables(inspection: Inspection): Promise<{ tables: TableFigures[]; missing: null }> {
  return inspection.within(DEADLINE, async (ask) => {
    await ask("SELECT set_config('statement_timeout', $1, true)", [`${SIZES_DEADLINE}ms`])
    const { tables, indexes } = (await measured(ask)) ?? (await read(ask, false))
    const of = grouped(indexes)
    return {
      tables: tables
        .map((row) => toTable(row, of.get(row.oid) ?? []))
        .sort((a, b) => b.tableBytes + b.indexBytes - a.tableBytes - a.indexBytes),
      missing: null,
    }
  })
}

interface Found {
  tables: Row[]
  indexes: Row[]
}

async function read(ask: Ask, sizes: boolean): Promise<Found> {
  const tables = await ask(TABLES(sizes))
  const oids = tables.map(({ oid }) => oid)
  const estimated = tables.filter((row) => row.estimated === true).map(({ oid }) => oid)
  return { tables, indexes: await ask(INDEXES, [oids, estimated]) }
}

/** Undefined where a lock came in between, or the file system is slow. */
async function measured(ask: Ask): Promise<Found | undefined> {
  const found = await attempted(ask, () => read(ask, true))
  return typeof found === 'string' ? undefined : found
}

function grouped(indexes: Row[]): Map<unknown, Row[]> {
  const of = new Map<unknown, Row[]>()
  for (const row of indexes) {
    const others = of.get(row.indrelid)
    if (others) others.push(row)
    else of.set(row.indrelid, [row])
  }
  return of
}

function toTable(row: Row, of: Row[]): TableFigures {
  const indexes = of.map(toIndex)
  return {
    schema: String(row.nspname),
    name: String(row.relname),
    rows: number(row.rows),
    tableBytes: Number(row.table_bytes),
    indexBytes: indexes.reduce((sum, { bytes }) => sum + bytes, 0),
    deadRows: number(row.dead_rows),
    vacuumAt: number(row.vacuum_at),
    lastVacuumAt: time(row.last_vacuum),
    lastAnalyzeAt: time(row.last_analyze),
    sequentialScans: number(row.seq_scan),
    indexScans: number(row.idx_scan),
    inserts: number(row.n_tup_ins),
    updates: number(row.n_tup_upd),
    deletes: number(row.n_tup_del),
    indexes,
    ...(row.estimated === true ? { estimated: true } : {}),
  }
}

function toIndex(row: Row): IndexFigures {
  return {
    name: String(row.name),
    ddl: String(row.ddl),
    bytes: Number(row.bytes ?? 0),
    scans: number(row.idx_scan),
    unique: row.indisunique === true,
    primary: row.indisprimary === true,
    valid: row.valid === true,
  }
}

const number = (value: unknown): number | null => (value == null ? null : Number(value))
const time = (value: unknown): number | null => (value instanceof Date ? value.getTime() : null)
