import type Database from 'better-sqlite3'
import type { Pool } from '../engine/pool'
import type { Plan, PlannedForeignKey, PlannedIdentity, PlannedTable, ScanKey } from '../types'
import { quoteIdentifier as q } from './names'

/** The plan with the figures of the source as it is now: rows, first and last key, last id, rows without their parent. */
export async function refreshPlan(pool: Pool, db: Database.Database, plan: Plan): Promise<Plan> {
  const tables = await Promise.all(
    plan.tables.map(async (table) => ({
      ...table,
      rows: db
        .prepare(`SELECT count(*) FROM ${q(table.source)}`)
        .pluck()
        .get() as number,
      scan: refreshScan(db, table),
      ...(table.identity && { identity: refreshIdentity(db, table, table.identity) }),
      foreignKeys: await Promise.all(
        table.foreignKeys.map(async (key) => ({ ...key, orphans: await orphansOf(pool, plan, table, key) })),
      ),
    })),
  )
  return { ...plan, tables }
}

function refreshScan(db: Database.Database, { source, scan }: PlannedTable): ScanKey {
  if (scan.kind !== 'rowid') return scan
  const name = q(scan.name)
  const [min, max] = db
    .prepare(`SELECT CAST(min(${name}) AS TEXT), CAST(max(${name}) AS TEXT) FROM ${q(source)}`)
    .raw()
    .get() as [string | null, string | null]
  return min === null || max === null ? scan : { ...scan, min, max }
}

function refreshIdentity(
  db: Database.Database,
  { source, columns }: PlannedTable,
  identity: PlannedIdentity,
): PlannedIdentity {
  const column = columns.find(({ target }) => target === identity.column)?.source ?? identity.column
  const counted = db.prepare(`SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'`).get()
  const given = counted
    ? `(SELECT max(seq) FROM sqlite_sequence WHERE name = ?)`
    : '(SELECT NULL WHERE ? IS NULL)'
  const last = db
    .prepare(
      `SELECT CAST(max(n) AS TEXT) FROM (SELECT max(${q(column)}) AS n FROM ${q(source)} UNION ALL SELECT ${given})`,
    )
    .pluck()
    .get(source) as string | null
  return { ...identity, last }
}

/** Rows without their parent; kept as planned where the plan knew of none that could be asked for. */
async function orphansOf(
  pool: Pool,
  plan: Plan,
  table: PlannedTable,
  key: PlannedForeignKey,
): Promise<number> {
  const parent = plan.tables.find(({ target }) => target === key.references.table)
  if (!parent) return key.orphans
  const names = (of: PlannedTable, targets: string[]) =>
    targets.map((name) => of.columns.find(({ target }) => target === name)?.source ?? name)
  return pool.run({
    kind: 'orphans',
    key: {
      table: table.source,
      columns: names(table, key.columns),
      parent: parent.source,
      references: names(parent, key.references.columns),
    },
  })
}
