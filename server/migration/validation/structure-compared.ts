import type pg from 'pg'
import { findByName } from '../plan/plan-compare'
import { resolveReference } from '../source/references'
import type { SourceSchema, SourceTable } from '../source/source'
import { readCatalog, type TargetTable } from '../target/catalog'
import type { Check, Plan } from '../types'
import { checkSequences } from './structure'

/**
 * What the source declares against what the catalogue of a target has that something else has filled: tables, columns,
 * keys, foreign keys, NOT NULL and sequences.
 */
export async function checkCompared(client: pg.Client, plan: Plan, schema: SourceSchema): Promise<Check[]> {
  const catalog = await readCatalog(client, plan.schema)
  const pairs = schema.tables.flatMap((table) => {
    const target = findByName(catalog, table.name)
    return target ? [{ table, target }] : []
  })
  return [
    checkTables(schema, catalog, pairs),
    checkKeys(schema, pairs),
    checkNotNull(pairs),
    await checkSequences(client, plan),
  ]
}

interface Pair {
  table: SourceTable
  target: TargetTable
}

function checkTables(schema: SourceSchema, catalog: TargetTable[], pairs: Pair[]): Check {
  const missing = [
    ...schema.tables
      .filter((table) => !findByName(catalog, table.name))
      .map((table) => `table ${table.name}`),
    ...pairs.flatMap(({ table, target }) =>
      table.columns
        .filter((column) => !findByName(target.columns, column.name))
        .map((column) => `column ${table.name}.${column.name}`),
    ),
  ]
  const extra = [
    ...catalog.filter((target) => !findByName(schema.tables, target.name)).map(({ name }) => `table ${name}`),
    ...pairs.flatMap(({ table, target }) =>
      target.columns
        .filter((column) => !findByName(table.columns, column.name))
        .map((column) => `column ${target.name}.${column.name}`),
    ),
  ]
  const also = extra.length > 0 ? ` Only in the target, not looked at: ${list(extra)}.` : ''
  return {
    id: 'target-tables',
    title: 'Tables and columns',
    state: missing.length > 0 ? 'red' : 'green',
    detail:
      missing.length > 0
        ? `Missing in the target: ${list(missing)}.${also}`
        : `All ${schema.tables.length} tables are there with their columns.${also}`,
    ...(missing.length > 0 && { remedy: 'Make them and carry their rows, then compare again.' }),
  }
}

function checkKeys(schema: SourceSchema, pairs: Pair[]): Check {
  const missing: string[] = []
  const unproved: string[] = []
  let keys = 0
  let references = 0
  for (const { table, target } of pairs) {
    const folded = (names: readonly string[]) => names.join().toLowerCase()
    if (table.primaryKey.length > 0) {
      keys++
      const ours = folded(table.primaryKey.map((column) => column.name))
      if (folded(target.primaryKey?.columns ?? []) !== ours) missing.push(`primary key of ${target.name}`)
    }
    for (const key of table.foreignKeys) {
      const wanted = resolveReference(schema, table, key)
      if (typeof wanted === 'string') continue
      references++
      const found = target.foreignKeys.find(
        (one) =>
          one.table.toLowerCase() === wanted.parent.toLowerCase() &&
          folded(one.columns) === folded(wanted.columns),
      )
      const name = `${target.name} (${wanted.columns.join(', ')}) → ${wanted.parent}`
      if (!found) missing.push(`foreign key ${name}`)
      else if (!found.validated) unproved.push(name)
    }
  }
  return {
    id: 'target-keys',
    title: 'Keys and foreign keys',
    state: missing.length > 0 ? 'red' : unproved.length > 0 ? 'amber' : 'green',
    detail:
      missing.length > 0
        ? `Missing in the target: ${list(missing)}.`
        : unproved.length > 0
          ? `Not valid for old rows: ${list(unproved)}.`
          : `${keys} primary and ${references} foreign keys are there.`,
    ...(missing.length > 0 && { remedy: 'Add them by ALTER TABLE … ADD, then compare again.' }),
  }
}

function checkNotNull(pairs: Pair[]): Check {
  const lost = pairs.flatMap(({ table, target }) =>
    table.columns
      .filter((column) => column.notNull && findByName(target.columns, column.name)?.notNull === false)
      .map((column) => `${target.name}.${column.name}`),
  )
  return {
    id: 'target-not-null',
    title: 'NOT NULL',
    state: lost.length > 0 ? 'amber' : 'green',
    detail: lost.length > 0 ? `Lost in the target: ${list(lost)}.` : 'Every NOT NULL is there.',
    ...(lost.length > 0 && { remedy: 'ALTER TABLE … ALTER COLUMN … SET NOT NULL.' }),
  }
}

const list = (items: string[]) =>
  `${items.slice(0, 12).join(', ')}${items.length > 12 ? ` and ${items.length - 12} more` : ''}`
