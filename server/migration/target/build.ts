import type pg from 'pg'
import { quoteLiteral } from '../plan/names'
import type { Check, Plan, PlannedIdentity, PlannedTable } from '../types'
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
  /** What is not there when rows stand against it; `red`: the target lets in what the source did not. */
  makes?: { what: string; red: boolean }
}

/** Something that could not be built because of the rows. */
export interface Unbuilt {
  what: string
  red: boolean
  reason: string
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
        makes: { what: `proof of foreign key ${key.name}`, red: false },
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
            makes: { what: `primary key ${table.primaryKey.name}`, red: true },
          },
        ]
      : []),
    ...table.indexes.map((index) => ({
      name: `index ${index.name}`,
      statements: [createIndex(table, index, schema)],
      weight: table.rows * (1 + index.columns.length),
      makes: { what: `${index.unique ? 'unique index' : 'index'} ${index.name}`, red: index.unique },
    })),
  ])
  // A step each: one that rows stand against takes no other with it.
  const keys = tables.flatMap((table) => [
    ...(table.primaryKey
      ? [{ name: `key ${table.primaryKey.name}`, statements: [attachKey(table, schema)], weight: 0 }]
      : []),
    ...table.indexes
      .filter((index) => index.constraint)
      .map((index) => ({
        name: `unique ${index.name}`,
        statements: [attachUnique(table, index, schema)],
        weight: 0,
      })),
    ...(table.checks ?? []).map((check) => ({
      name: `add check ${table.target} ${check.name}`,
      statements: [addCheck(table, check, schema)],
      weight: 0,
    })),
  ])
  const foreignKeys = tables.flatMap((table) =>
    table.foreignKeys.map((key) => ({
      name: `foreign key ${table.target} ${key.name}`,
      statements: [addForeignKey(table, key, schema)],
      weight: 0,
      makes: { what: `foreign key ${key.name}`, red: true },
    })),
  )
  const checks = tables.flatMap((table) =>
    (table.checks ?? []).map((check) => ({
      name: `check ${table.target} ${check.name}`,
      statements: [validateCheck(table, check, schema)],
      weight: table.rows / 2,
      makes: { what: `proof of check ${check.name}`, red: false },
    })),
  )
  const validations = tables.flatMap((table) =>
    table.foreignKeys
      .filter((key) => key.orphans === 0)
      .map((key) => ({
        name: `validate ${table.target} ${key.name}`,
        statements: [validateForeignKey(table, key.name, schema)],
        weight: table.rows,
        makes: { what: `proof of foreign key ${key.name}`, red: false },
      })),
  )
  return [
    { steps: indexes },
    { steps: keys },
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

/**
 * Runs the stages over the given sessions, skipping steps that an earlier attempt committed. Answers what could not be
 * built because of the rows: it is tried again when the run is resumed.
 */
export async function build(
  clients: readonly pg.Client[],
  runId: string,
  stages: Stage[],
  hooks: { progress(done: number, total: number): void; gate(): Promise<void> },
): Promise<Unbuilt[]> {
  const unbuilt: Unbuilt[] = []
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
          try {
            await commitStep(client, runId, step.name, step.statements)
          } catch (error) {
            const reason = brokenBy(error, unbuilt.length > 0)
            if (reason === null) throw error
            if (step.makes) unbuilt.push({ ...step.makes, reason })
          }
          done++
          hooks.progress(done, total)
        }
      }),
    )
  }
  return unbuilt
}

/**
 * Why a step failed, if rows stand against it (23), or are too long for an index (54); and what leans on something that
 * was not built, and is not there (42704) or not unique (42830). Null for everything else.
 */
function brokenBy(error: unknown, before: boolean): string | null {
  const { code = '', message = '', detail } = error as { code?: string; message?: string; detail?: string }
  const rows = /^(23|54)/.test(code)
  if (!rows && !(before && ['42704', '42830'].includes(code))) return null
  return detail ?? `${message}.`
}

/** Waits for all, so that no session is at work when the first error is thrown. */
export async function settleAll(work: Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(work)).find((result) => result.status === 'rejected')
  if (failed) throw failed.reason
}

/** What could not be built, as a check of the run; null when all was. */
export function checkUnbuilt(unbuilt: readonly Unbuilt[]): Check | null {
  if (unbuilt.length === 0) return null
  const red = unbuilt.some((one) => one.red)
  return {
    id: 'target-unbuilt',
    title: 'What rows stand against',
    state: red ? 'red' : 'amber',
    detail: unbuilt.map(({ what, reason }) => `${what} could not be built: ${reason}`).join(' '),
    remedy: red
      ? 'Mend the rows in the target and resume the run, or cancel it and choose other types.'
      : 'Mend the rows in the target, then build it by hand.',
  }
}
