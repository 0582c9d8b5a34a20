import type pg from 'pg'
import { quoteLiteral } from '../plan/names'
import type { Plan, PlannedIdentity, PlannedTable } from '../types'
import { commitStep, finishedSteps, type RestoredKey } from './checkpoint'
import {
  addCheck,
  addForeignKey,
  attachKey,
  attachUnique,
  createIndex,
  createKeyIndex,
  createProgram,
  qualified,
  validateCheck,
  validateForeignKey,
} from './ddl'

export interface Step {
  name: string
  statements: string[]
  /** Larger first within a stage. */
  weight: number
}

/** `serial`: steps that lock two tables each, and would wait for one another in a circle. */
export interface Stage {
  steps: Step[]
  serial?: boolean
}

/**
 * What follows the load, in stages whose steps can run side by side. Indexes go fastest in two sessions
 * without parallel workers of their own (measured).
 */
export function buildStages(plan: Plan, restore: readonly RestoredKey[]): Stage[] {
  const { schema, tables } = plan
  if (plan.mode === 'existing') {
    const rows = (name: string) => tables.find((table) => table.target === name)?.rows ?? 0
    const add = restore.map((key) => ({
      name: `restore ${key.table} ${key.name}`,
      statements: [key.add],
      weight: 0,
    }))
    const prove = restore
      .filter((key) => key.validated)
      .map((key) => ({
        name: `validate ${key.table} ${key.name}`,
        statements: [validateForeignKey({ target: key.table }, key.name, schema)],
        weight: rows(key.table),
      }))
    return [{ steps: add, serial: true }, { steps: [...prove, ...analyze(plan)] }, { steps: sequences(plan) }]
  }
  const indexes = tables.flatMap((table) => [
    ...(table.primaryKey
      ? [
          {
            name: `index ${table.primaryKey.name}`,
            statements: [createKeyIndex(table, schema)],
            weight: table.rows,
          },
        ]
      : []),
    ...table.indexes.map((index) => ({
      name: `index ${index.name}`,
      statements: [createIndex(table, index, schema)],
      weight: table.rows * (1 + index.columns.length),
    })),
  ])
  const keys = tables.map((table) => ({
    name: `keys ${table.target}`,
    statements: [
      ...(table.primaryKey ? [attachKey(table, schema)] : []),
      ...table.indexes.filter((index) => index.constraint).map((index) => attachUnique(table, index, schema)),
      ...(table.checks ?? []).map((check) => addCheck(table, check, schema)),
    ],
    weight: 0,
  }))
  const foreignKeys = tables
    .filter((table) => table.foreignKeys.length > 0)
    .map((table) => ({
      name: `foreign keys ${table.target}`,
      statements: table.foreignKeys.map((key) => addForeignKey(table, key, schema)),
      weight: 0,
    }))
  const checks = tables.flatMap((table) =>
    (table.checks ?? []).map((check) => ({
      name: `check ${table.target} ${check.name}`,
      statements: [validateCheck(table, check, schema)],
      weight: table.rows / 2,
    })),
  )
  const validations = tables.flatMap((table) =>
    table.foreignKeys
      .filter((key) => key.orphans === 0)
      .map((key) => ({
        name: `validate ${table.target} ${key.name}`,
        statements: [validateForeignKey(table, key.name, schema)],
        weight: table.rows,
      })),
  )
  return [
    { steps: indexes },
    { steps: keys.filter((step) => step.statements.length > 0) },
    { steps: foreignKeys, serial: true },
    { steps: [...validations, ...checks, ...analyze(plan)] },
    { steps: sequences(plan) },
    { steps: programs(plan), serial: true },
  ]
}

/** Views in their order, then triggers: nothing of the load fires them. */
function programs({ views = [], triggers = [] }: Plan): Step[] {
  const made = [
    ...views.map((view) => ({ name: `view ${view.target}`, statements: [createProgram(view.targetSql)] })),
    ...triggers.map((trigger) => ({
      name: `trigger ${trigger.target}`,
      statements: [createProgram(trigger.targetSql)],
    })),
  ]
  return made.map((step, i) => ({ ...step, weight: made.length - i }))
}

function analyze({ tables, schema }: Plan): Step[] {
  return tables.map((table) => ({
    name: `analyze ${table.target}`,
    statements: [`ANALYZE ${qualified(schema, table.target)}`],
    weight: table.rows / 10,
  }))
}

function sequences({ tables, schema }: Plan): Step[] {
  return tables
    .filter((table) => table.identity)
    .map((table) => ({
      name: `sequence ${table.target}`,
      statements: [setSequence(table, schema)],
      weight: 0,
    }))
}

/** Past the greatest id that the source has given out and the greatest that arrived. */
function setSequence(table: PlannedTable, schema: string): string {
  const { column, last } = table.identity as PlannedIdentity
  const name = qualified(schema, table.target)
  const target = quoteLiteral(column)
  const greatest = `greatest((SELECT max("${column.replaceAll('"', '""')}") FROM ${name}), ${last ?? 'NULL'}::bigint)`
  return `SELECT setval(s.name::regclass, greatest(s.top, 1), coalesce(s.top >= 1, false))
    FROM (SELECT pg_get_serial_sequence(${quoteLiteral(name)}, ${target}) AS name, ${greatest} AS top) AS s`
}

export function countSteps(stages: readonly Stage[]): number {
  return stages.reduce((sum, { steps }) => sum + steps.length, 0)
}

/** Runs the stages over the given sessions, skipping steps that an earlier attempt committed. */
export async function build(
  clients: readonly pg.Client[],
  runId: string,
  stages: Stage[],
  hooks: { progress(done: number, total: number): void; gate(): Promise<void> },
): Promise<void> {
  const finished = await finishedSteps(clients[0] as pg.Client, runId)
  const total = countSteps(stages)
  let done = stages.flatMap(({ steps }) => steps).filter((step) => finished.has(step.name)).length
  for (const client of clients) {
    await client.query(
      `SET maintenance_work_mem = '256MB'; SET max_parallel_maintenance_workers = 0; SET synchronous_commit = off`,
    )
  }
  hooks.progress(done, total)
  for (const { steps, serial } of stages) {
    const queue = steps.filter((step) => !finished.has(step.name)).sort((a, b) => b.weight - a.weight)
    await settleAll(
      (serial ? clients.slice(0, 1) : clients).map(async (client) => {
        for (let step = queue.shift(); step; step = queue.shift()) {
          await hooks.gate()
          await commitStep(client, runId, step.name, step.statements)
          done++
          hooks.progress(done, total)
        }
      }),
    )
  }
}

/** Waits for all, so that no session is at work when the first error is thrown. */
export async function settleAll(work: Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(work)).find((result) => result.status === 'rejected')
  if (failed) throw failed.reason
}
