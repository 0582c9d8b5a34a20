import type Database from 'better-sqlite3'
import type { Pool } from '../engine/pool'
import { MigrationError } from '../failure'
import { resolveReference } from '../source/references'
import { inspect, type SourceSchema } from '../source/source'
import { readCatalog } from '../target/catalog'
import { connectTarget, disconnect } from '../target/target'
import type { Check, Job, KeptEvidence, Plan, TableEvidence } from '../types'
import { checkChoices, columnsLeft, plainTables, virtualNames, withoutTypes } from './choices'
import { readOnce, readTable } from './evidence'
import { checkPlace } from './place'
import { planTables } from './plan'
import { planCompare } from './plan-compare'
import { planExisting } from './plan-existing'
import {
  captureCheck,
  checkTarget,
  columnsCheck,
  foreignKeyCheck,
  integrityCheck,
  integrityFailure,
  redCheck,
  redUnlessLost,
} from './preflight'

export interface Analysis {
  schema: SourceSchema
  /** Rows by `table#n` that break the n-th foreign key. */
  orphans: Map<string, number>
  checks: Check[]
}

/** Every question of the preflight; emits each check as it is known. */
export async function preflight(
  pool: Pool,
  db: Database.Database,
  job: Job,
  now: number,
  emit: (check: Check) => void,
): Promise<Analysis> {
  const checks: Check[] = []
  const add = (check: Check) => {
    checks.push(check)
    emit(check)
  }
  const schema = inspect(db, job.exclude, plainTables(job.choices))
  checkChoices(schema.tables, withoutTypes(job.choices), virtualNames(schema))
  const mb = (schema.facts.sizeBytes / 1e6).toFixed(1)
  add({
    id: 'source-file',
    title: 'Source is a SQLite database',
    state: schema.tables.length > 0 ? 'green' : 'red',
    detail: `${schema.tables.length} tables, ${mb} MB, ${schema.facts.encoding}, journal ${schema.facts.journalMode}.`,
    ...(schema.tables.length === 0 && { remedy: 'There is nothing to carry: name another file.' }),
  })
  if (job.capture) add(captureCheck(job.source, schema.facts.journalMode))
  const wide = columnsCheck(columnsLeft(schema, job.choices))
  if (wide && job.mode === 'create') add(wide)
  const orphans = new Map<string, number>()
  await Promise.all([
    pool.run({ kind: 'quickCheck' }).then(integrityCheck, integrityFailure).then(add),
    checkForeignKeys(pool, schema, orphans)
      .catch((error) => redCheck('source-foreign-keys', 'Foreign keys hold', error))
      .then(add),
    checkTarget(job.target, job.mode, schema.facts.sizeBytes, now).then((found) => found.forEach(add)),
  ])
  if (!checks.some((check) => check.state === 'red')) {
    add(
      await checkPlace(schema, job).catch((error) =>
        redUnlessLost('target-place', 'Room for the tables', error, job.target),
      ),
    )
  }
  return { schema, orphans, checks }
}

async function checkForeignKeys(
  pool: Pool,
  schema: SourceSchema,
  orphans: Map<string, number>,
): Promise<Check> {
  const broken = new Map<string, number>()
  const mismatches: string[] = []
  const keys = schema.tables.flatMap((table) =>
    table.foreignKeys.map((key, i) => ({
      id: `${table.name}#${i}`,
      table,
      key: resolveReference(schema, table, key),
    })),
  )
  await Promise.all(
    keys.map(async ({ id, table, key }) => {
      if (typeof key === 'string') {
        mismatches.push(key)
        return
      }
      const count = await pool.run({ kind: 'orphans', key })
      orphans.set(id, count)
      broken.set(table.name, (broken.get(table.name) ?? 0) + count)
    }),
  )
  return foreignKeyCheck(broken, mismatches)
}

/** Reads every row and proposes a plan, and keeps what it found. Throws TARGET_MISMATCH in 'existing' mode. */
export async function makePlan(
  pool: Pool,
  db: Database.Database,
  job: Job,
  schema: SourceSchema,
  orphans: () => Promise<ReadonlyMap<string, number>>,
): Promise<{ plan: Plan; found: Omit<KeptEvidence, 'files'> }> {
  const found = await Promise.all(schema.tables.map((table) => readTable(pool, db, table)))
  const evidence = new Map(schema.tables.map((table, i) => [table.name, found[i] as TableEvidence]))
  const kept = {
    tables: Object.fromEntries(evidence),
    virtual: virtualNames(schema),
    orphans: Object.fromEntries(await orphans()),
  }
  if (job.mode === 'create')
    return {
      plan: planTables(schema, evidence, await orphans(), job.target.schema, job.choices),
      found: kept,
    }
  const client = await connectTarget(job.target)
  try {
    const plan = job.mode === 'compare' ? planCompare : planExisting
    const catalog = await readCatalog(client, job.target.schema)
    return { plan: plan(schema, evidence, catalog, job.target.schema), found: kept }
  } finally {
    await disconnect(client)
  }
}

/** The plan by other choices, from what an earlier one found; no row is read again. Answers the check of its names, too. */
export async function planAnew(
  db: Database.Database,
  job: Job,
  kept: KeptEvidence,
): Promise<{ plan: Plan; check: Check }> {
  const schema = inspect(db, job.exclude, plainTables(job.choices))
  const evidence = new Map(Object.entries(kept.tables))
  for (const table of schema.tables) {
    if (!evidence.has(table.name)) evidence.set(table.name, readOnce(db, table))
  }
  const orphans = new Map(Object.entries(kept.orphans))
  const plan = planTables(schema, evidence, orphans, job.target.schema, job.choices)
  const check = await checkPlace(schema, job).catch((error) =>
    redCheck('target-place', 'Room for the tables', error),
  )
  return { plan, check }
}

/** Red checks as one error. */
export function refuseRed(checks: readonly Check[]): void {
  const red = checks.filter((check) => check.state === 'red')
  if (red.length === 0) return
  throw new MigrationError(
    'PREFLIGHT_RED',
    `The preflight found: ${red.map((check) => `${check.title}: ${check.detail}`).join(' ')}`,
    red
      .map((check) => check.remedy)
      .filter(Boolean)
      .join(' ') || 'Correct what the checks name.',
  )
}
