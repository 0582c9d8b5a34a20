import { afterEach, beforeEach, expect, inject } from 'vitest'
import { startRun } from '../runs/client'
import { type Bench, bothSides, openBench } from '../testing/target'
import type { Job, Plan, PlannedTable, RunReport } from '../types'

const engine = inject('postgres')
export const noPostgres = !engine

/** One file made for a trap, run through the engine; the target is there to be asked. */
export interface Trap {
  bench: Bench
  /** Writes the file, migrates it, and expects a validation without red. */
  run(sql: string, more?: Partial<Job>): Promise<Outcome>
  runFile(file: string, more?: Partial<Job>): Promise<Outcome>
  query(sql: string): Promise<Record<string, unknown>[]>
}

export interface Outcome {
  file: string
  report: RunReport
  plan: Plan
  table(source: string): PlannedTable
  /** What is listed as not carried: `check d`. */
  listed: string[]
}

/** A database of its own for each test of a file. */
export function openTrap(): Trap {
  const trap = {
    run: (sql, more) => trap.runFile(trap.bench.file(sql), more),
    async runFile(file, more) {
      const end = await startRun(trap.bench.job(file, more)).ended
      if (end.state !== 'done') throw new Error(JSON.stringify(end))
      const { report } = end
      expect(report.validation.ok, JSON.stringify(report.validation)).toBe(true)
      const { plan } = report
      return {
        file,
        report,
        plan,
        table: (source) => plan.tables.find((one) => one.source === source) as PlannedTable,
        listed: plan.notCarried.map((item) => `${item.kind} ${item.name}`).sort(),
      }
    },
    query: async (sql) => (await trap.bench.client.query(sql)).rows,
  } as Trap
  beforeEach(async () => {
    trap.bench = await openBench(engine as NonNullable<typeof engine>)
  })
  afterEach(() => trap.bench.close())
  return trap
}

/** Every row of the tables is in both. */
export async function expectRows({ bench }: Trap, file: string, tables: string[]): Promise<void> {
  for (const table of tables) {
    const { source, target } = await bothSides(file, bench.client, table)
    expect(target, table).toEqual(source)
  }
}

/** Every view gives the same rows on both sides. */
export async function expectViews(trap: Trap, file: string, { views = [] }: Plan): Promise<void> {
  await expectRows(
    trap,
    file,
    views.map((view) => view.target),
  )
}

/** A statement that the target refuses, by its SQLSTATE. */
export async function refused(trap: Trap, sql: string): Promise<string> {
  try {
    await trap.query(sql)
    return 'accepted'
  } catch (error) {
    return (error as { code: string }).code
  }
}
