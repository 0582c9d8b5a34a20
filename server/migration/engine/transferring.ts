import type pg from 'pg'
import { loadedPart } from '../plan/generated'
import { settleAll } from '../target/build'
import { type Part, readParts } from '../target/checkpoint'
import { readRejects } from '../target/rejects'
import type { Bounds } from '../transfer/ranges'
import type { Plan, PlannedTable, RejectedRow, TableProgress } from '../types'
import { openMeter } from './progress'
import { defaultLimits, exceeded, tellRejects } from './rejects'
import { type EngineDependencies, reporter, type Session } from './session'

/** What a transfer brought over. */
export interface Moved {
  milliseconds: number
  tables: TableProgress[]
  parts: Map<string, Bounds[]>
  rejects: RejectedRow[]
}

/** Copies what of the plan's ranges is not copied yet, a thread for each range. */
export async function transfer(
  deps: EngineDependencies,
  session: Session,
  client: pg.Client,
  plan: Plan,
): Promise<Moved> {
  const { pool, job } = session
  const bySource = new Map(plan.tables.map((table) => [table.source, table]))
  const meter = openMeter(
    deps.clock,
    plan.tables.map((table) => ({ name: table.target, rows: table.rows })),
  )
  const started = performance.now()
  const read = async () => {
    const parts = await readParts(client, job.runId)
    for (const table of plan.tables) {
      const mine = parts.filter((part) => part.table === table.source)
      const sum = (key: 'rows' | 'rejected' | 'bytes') => mine.reduce((total, part) => total + part[key], 0)
      meter.begin(table.target, sum('rows'), sum('rejected'), sum('bytes'))
    }
    return parts
  }
  const limits = job.choices?.rejects ?? defaultLimits
  const refuseExceeded = () => {
    const error = exceeded(meter.tables(), limits)
    if (error) throw error
  }
  let parts = await read()
  await tellRejects(deps, client, job.runId)
  const show = reporter(deps, 'transfer', () => ({ ...meter.totals(), tables: meter.tables() }))
  try {
    while (parts.some((part) => !part.done)) {
      await deps.control.gate()
      refuseExceeded()
      await settleAll(
        inTurns(parts)
          .filter((part) => !part.done)
          .map((part) => {
            const table = loadedPart(bySource.get(part.table) as PlannedTable)
            const task = {
              runId: job.runId,
              part: part.part,
              table,
              schema: plan.schema,
              bounds: part.bounds,
              most: Math.min(limits.perTable, limits.perRun),
            }
            return pool.run({ kind: 'copy', task }, ({ rejects = [], batch, ...news }) => {
              if (batch) deps.emit({ type: 'batch', table: table.target, ...batch })
              meter.add(table.target, { ...news, rejected: rejects.length })
              if (rejects.length > 0) {
                deps.emit({ type: 'rejects', rows: rejects })
                if (exceeded(meter.tables(), limits)) pool.signal(1)
              }
              show.soon()
            })
          }),
      )
      parts = await read()
    }
    refuseExceeded()
    await deps.control.gate()
  } finally {
    show.end()
  }
  return {
    milliseconds: Math.round(performance.now() - started),
    tables: meter.tables(),
    rejects: await readRejects(client, job.runId),
    parts: new Map(
      plan.tables.map((table) => [
        table.source,
        parts.filter((part) => part.table === table.source).map((part) => part.bounds),
      ]),
    ),
  }
}

/** The ranges of all tables in turn: two sessions that add to one table wait for each other. */
function inTurns(parts: readonly Part[]): Part[] {
  const begun = new Map<string, number>()
  const turns = parts.map((part) => {
    const turn = begun.get(part.table) ?? 0
    begun.set(part.table, turn + 1)
    return { part, turn }
  })
  return turns.sort((a, b) => a.turn - b.turn).map(({ part }) => part)
}
