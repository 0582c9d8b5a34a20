import type pg from 'pg'
import { quoteIdentifier } from '../plan/names'

/** What the target has, from its catalogue. */
export interface TargetTable {
  name: string
  owned: boolean
  empty: boolean
  columns: TargetColumn[]
  primaryKey: { name: string; columns: string[] } | null
  foreignKeys: {
    name: string
    columns: string[]
    table: string
    references: string[]
    validated: boolean
    definition: string
  }[]
}

export interface TargetColumn {
  name: string
  type: string
  notNull: boolean
  hasDefault: boolean
  /** Fed by a sequence: identity or serial. */
  sequence: boolean
  generated: boolean
}

/** Names of all relations of a schema: tables, indexes, sequences and views share one space. */
export async function relationNames(client: pg.Client, schema: string): Promise<Set<string>> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1`,
    [schema],
  )
  return new Set(rows.map((row) => row.name))
}

/** Names of the functions of a schema that take no arguments, as those of triggers do. */
export async function functionNames(client: pg.Client, schema: string): Promise<Set<string>> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT p.proname AS name FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = $1 AND p.pronargs = 0`,
    [schema],
  )
  return new Set(rows.map((row) => row.name))
}

export async function schemaExists(client: pg.Client, schema: string): Promise<boolean> {
  const { rowCount } = await client.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [schema])
  return rowCount === 1
}

/** Ordinary and partitioned tables of a schema with what a load into them needs to know. */
export async function readCatalog(client: pg.Client, schema: string): Promise<TargetTable[]> {
  const { rows: tables } = await client.query<{ oid: string; name: string; owned: boolean }>(
    `SELECT c.oid::text, c.relname AS name, pg_has_role(c.relowner, 'USAGE') AS owned
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') ORDER BY c.relname`,
    [schema],
  )
  const { rows: columns } = await client.query(
    `SELECT a.attrelid::text AS oid, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
            a.attnotnull AS "notNull", a.atthasdef AS "hasDefault", a.attgenerated <> '' AS generated,
            a.attidentity <> '' OR coalesce(pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%', false) AS sequence
     FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
     WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attrelid, a.attnum`,
    [tables.map((table) => table.oid)],
  )
  const { rows: keys } = await client.query(
    `SELECT k.conrelid::text AS oid, k.conname AS name, k.contype AS kind, k.convalidated AS validated,
            pg_get_constraintdef(k.oid) AS definition, f.relname AS "table",
            ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY c(n, i)
                  JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = c.n ORDER BY c.i) AS columns,
            ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY c(n, i)
                  JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = c.n ORDER BY c.i) AS "references"
     FROM pg_constraint k LEFT JOIN pg_class f ON f.oid = k.confrelid
     WHERE k.conrelid = ANY ($1::oid[]) AND k.contype IN ('p', 'f') ORDER BY k.conname`,
    [tables.map((table) => table.oid)],
  )
  const found: TargetTable[] = []
  for (const { oid, name, owned } of tables) {
    const mine = keys.filter((key) => key.oid === oid)
    const primary = mine.find((key) => key.kind === 'p')
    found.push({
      name,
      owned,
      empty: await isEmpty(client, schema, name),
      columns: columns.filter((column) => column.oid === oid).map(({ oid: _, ...column }) => column),
      primaryKey: primary ? { name: primary.name, columns: primary.columns } : null,
      foreignKeys: mine.filter((key) => key.kind === 'f').map(({ oid: _, kind: __, ...key }) => key),
    })
  }
  return found
}

/** A table that may not be read counts as not empty. */
async function isEmpty(client: pg.Client, schema: string, table: string): Promise<boolean> {
  try {
    const { rowCount } = await client.query(
      `SELECT 1 FROM ${quoteIdentifier(schema)}.${quoteIdentifier(table)} LIMIT 1`,
    )
    return rowCount === 0
  } catch {
    return false
  }
}
