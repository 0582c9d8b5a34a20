import type Database from 'better-sqlite3'
import type { Pool } from '../engine/pool'
import { MigrationError } from '../failure'
import { mergeEvidence, noEvidence, readEvidence } from '../source/evidence'
import { inspect, resolveReference, type SourceSchema, type SourceTable } from '../source/source'
import { mergeTrials, type TrialResult } from '../source/trials'
import { functionNames, readCatalog, relationNames, schemaExists, type TargetTable } from '../target/catalog'
import { connectTarget, disconnect } from '../target/target'
import { type Bounds, EVERYTHING, type Scan } from '../transfer/ranges'
import type { Check, ColumnEvidence, Job, KeptEvidence, Plan, TableEvidence, TypeOption } from '../types'
import { checkChoices, columnsLeft, plainTables, virtualNames, withoutTypes } from './choices'
import { fitsTest } from './fits'
import { quoteIdentifier } from './names'
import { type Candidate, candidates } from './options'
import { planTables } from './plan'
import { findByName, planCompare } from './plan-compare'
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

/** Rows that one thread reads for evidence before another table or range has its turn. */
const EVIDENCE_ROWS = 250_000n

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

/** Nothing of the plan's names may be taken; in 'existing' mode the tables must be there, be ours and be empty. */
async function checkPlace(schema: SourceSchema, job: Job): Promise<Check> {
  const client = await connectTarget(job.target)
  const check = { id: 'target-place', title: 'Room for the tables' }
  try {
    if (job.mode === 'compare')
      return { ...check, ...placeCompared(schema, await readCatalog(client, job.target.schema)) }
    if (job.mode === 'existing')
      return { ...check, ...placeExisting(schema, await readCatalog(client, job.target.schema)) }
    const plan = planTables(
      schema,
      blankEvidence(schema),
      new Map(),
      job.target.schema,
      withoutTypes(job.choices),
    )
    const taken = await relationNames(client, job.target.schema)
    const wanted = plan.tables.flatMap((table) => [
      table.target,
      ...(table.primaryKey ? [table.primaryKey.name] : []),
      ...table.indexes.map((index) => index.name),
    ])
    const views = plan.views?.map(({ target }) => target) ?? []
    const functions = await functionNames(client, job.target.schema)
    const clashes = [
      ...[...wanted, ...views].filter((name) => taken.has(name)),
      ...(plan.triggers ?? []).map(({ target }) => target).filter((name) => functions.has(name)),
    ]
    const there = await schemaExists(client, job.target.schema)
    if (clashes.length === 0) {
      const detail = there
        ? `Schema ${job.target.schema} has none of these names.`
        : `Schema ${job.target.schema} will be created.`
      return { ...check, state: 'green', detail }
    }
    return {
      ...check,
      state: 'red',
      detail: `Schema ${job.target.schema} already has ${clashes.slice(0, 8).join(', ')}${clashes.length > 8 ? ` and ${clashes.length - 8} more` : ''}.`,
      remedy: 'Choose an empty schema, or drop or rename what is there.',
    }
  } finally {
    await disconnect(client)
  }
}

/** Something to compare with must be there; what is missing of it is for the validation to name. */
function placeCompared(
  schema: SourceSchema,
  catalog: TargetTable[],
): Pick<Check, 'title' | 'state' | 'detail' | 'remedy'> {
  const found = schema.tables.filter((table) => findByName(catalog, table.name)).length
  const title = 'Tables to compare with'
  if (found > 0)
    return { title, state: 'green', detail: `${found} of ${schema.tables.length} tables are there.` }
  return {
    title,
    state: 'red',
    detail: 'The target has none of the tables in this schema.',
    remedy: 'Name the schema that they were put into.',
  }
}

function placeExisting(
  schema: SourceSchema,
  catalog: TargetTable[],
): Pick<Check, 'state' | 'detail' | 'remedy'> {
  const names = new Set(schema.tables.map((table) => table.name.toLowerCase()))
  const tables = catalog.filter((table) => names.has(table.name.toLowerCase()))
  const full = tables.filter((table) => !table.empty).map((table) => table.name)
  if (full.length > 0) {
    return {
      state: 'red',
      detail: `Not empty: ${full.join(', ')}.`,
      remedy: 'Empty these tables or choose another schema.',
    }
  }
  const foreign = tables.filter((table) => !table.owned).map((table) => table.name)
  if (foreign.length > 0) {
    return {
      state: 'red',
      detail: `Owned by another role: ${foreign.join(', ')}.`,
      remedy: 'Connect as the owner: foreign keys are taken off for the load and put back after it.',
    }
  }
  return { state: 'green', detail: `${tables.length} tables are there and empty.` }
}

function blankEvidence(schema: SourceSchema): Map<string, TableEvidence> {
  return new Map(
    schema.tables.map((table) => [
      table.name,
      {
        names: table.columns.map(({ name }) => name),
        rows: 0,
        rowids: null,
        columns: table.columns.map(() => noEvidence),
      },
    ]),
  )
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

/** A virtual table that was chosen after the others were read: without other types to choose from. */
function readOnce(db: Database.Database, table: SourceTable): TableEvidence {
  const scan: Scan = { table: table.name, columns: [table.rowidName ?? ''], descending: false }
  const columns = readEvidence(db, scan, EVERYTHING, table.columns)
  return {
    names: table.columns.map((column) => column.name),
    columns,
    rows: columns[0]?.rows ?? 0,
    rowids: table.rowidName === null ? null : readRowids(db, table.name, table.rowidName),
  }
}

async function readTable(pool: Pool, db: Database.Database, table: SourceTable): Promise<TableEvidence> {
  const rowids = table.rowidName === null ? null : readRowids(db, table.name, table.rowidName)
  const scan: Scan = {
    table: table.name,
    columns: table.rowidName === null ? table.primaryKey.map((column) => column.name) : [table.rowidName],
    descending: false,
  }
  const ranges = evidenceRanges(rowids)
  const sampled = await pool.run({ kind: 'samples', scan, columns: table.columns })
  const columns = sampled.map(({ name, declaredType, shape }, i) => ({
    ...{ name, declaredType, shape },
    notNull: table.columns[i]?.notNull,
  }))
  const parts = await Promise.all(
    ranges.map((bounds) => pool.run({ kind: 'evidence', scan, bounds, columns })),
  )
  const merged = parts.reduce((a, b) => a.map((one, i) => mergeEvidence(one, b[i] as ColumnEvidence)))
  const offers = sampled.map((column, i) => candidates(column, merged[i] as ColumnEvidence))
  return {
    names: table.columns.map((column) => column.name),
    columns: merged,
    rows: merged[0]?.rows ?? 0,
    rowids,
    samples: sampled.map((column) => column.samples),
    options: await tryCandidates(pool, scan, ranges, table.columns, offers),
  }
}

/** Counts what each candidate refuses where the evidence doesn't say it: one more pass, and only for such columns. */
async function tryCandidates(
  pool: Pool,
  scan: Scan,
  ranges: Bounds[],
  columns: readonly { name: string }[],
  offers: Candidate[][],
): Promise<TypeOption[][]> {
  const trials = offers.flatMap((found, i) => {
    const { name } = columns[i] as { name: string }
    return found.flatMap((one) => {
      const test = one.refused === 0 ? null : fitsTest(quoteIdentifier(name), one)
      return test === null ? [] : [{ one, trial: { column: name, test } }]
    })
  })
  const results = new Map<Candidate, TrialResult>()
  if (trials.length > 0) {
    const tests = trials.map(({ trial }) => trial)
    const parts = await Promise.all(
      ranges.map((bounds) => pool.run({ kind: 'trials', scan, bounds, trials: tests })),
    )
    const merged = parts.reduce((a, b) => a.map((one, i) => mergeTrials(one, b[i] as TrialResult)))
    trials.forEach(({ one }, i) => {
      results.set(one, merged[i] as TrialResult)
    })
  }
  return offers.map((found) =>
    found.map((one) => ({ ...one, ...(results.get(one) ?? { refused: 0, misfits: [] }) })),
  )
}

function readRowids(
  db: Database.Database,
  table: string,
  rowid: string,
): { min: string; max: string } | null {
  const read = (side: 'min' | 'max') =>
    db
      .prepare(`SELECT ${side}(${quoteIdentifier(rowid)}) FROM ${quoteIdentifier(table)}`)
      .pluck()
      .safeIntegers()
      .get() as bigint | null
  const [min, max] = [read('min'), read('max')]
  return min === null || max === null ? null : { min: min.toString(), max: max.toString() }
}

function evidenceRanges(rowids: { min: string; max: string } | null): Bounds[] {
  if (!rowids) return [EVERYTHING]
  const min = BigInt(rowids.min)
  const span = BigInt(rowids.max) - min + 1n
  const parts = span / EVIDENCE_ROWS + 1n
  const count = parts > 64n ? 64n : parts
  const cuts: (bigint[] | null)[] = [null]
  for (let i = 1n; i < count; i++) cuts.push([min + (span * i) / count - 1n])
  cuts.push(null)
  return cuts.slice(1).map((hi, i) => ({ lo: cuts[i] ?? null, hi }))
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
