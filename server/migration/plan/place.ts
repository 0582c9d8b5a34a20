import { noEvidence } from '../source/evidence'
import type { SourceSchema } from '../source/source'
import { functionNames, readCatalog, relationNames, schemaExists, type TargetTable } from '../target/catalog'
import { connectTarget, disconnect } from '../target/target'
import type { Check, Job, TableEvidence } from '../types'
import { withoutTypes } from './choices'
import { planTables } from './plan'
import { findByName } from './plan-compare'

/** Nothing of the plan's names may be taken; in 'existing' mode the tables must be there, be ours and be empty. */
export async function checkPlace(schema: SourceSchema, job: Job): Promise<Check> {
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
