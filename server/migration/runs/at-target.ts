import { BOOKKEEPING, isActive, readParts, readRun, runIds } from '../target/checkpoint'
import { connectTarget, disconnect } from '../target/target'
import type { Target } from '../types'

/** A run as the bookkeeping in its target tells of it, whoever drives it. */
export interface RunAtTarget {
  runId: string
  state: 'running' | 'done'
  /** A worker is at it now. */
  active: boolean
  source: string
  schema: string
  startedAt: number
  rows: number
  written: number
  bytes: number
  tables: { table: string; target: string; rows: number; written: number; bytes: number; done: boolean }[]
}

/** Every run that the target keeps books of, oldest first. Finished runs whose end was kept elsewhere are forgotten. */
export async function runsAt(target: Target): Promise<RunAtTarget[]> {
  const client = await connectTarget(target, `${BOOKKEEPING} status`)
  try {
    const runs: RunAtTarget[] = []
    for (const runId of await runIds(client)) {
      const run = await readRun(client, runId)
      if (!run) continue
      const { state, source, schema, startedAt, plan } = run
      const parts = await readParts(client, runId)
      const tables = plan.tables.map((table) => {
        const mine = parts.filter((part) => part.table === table.source)
        return {
          ...{ table: table.source, target: table.target, rows: table.rows },
          written: mine.reduce((sum, part) => sum + part.rows, 0),
          bytes: mine.reduce((sum, part) => sum + part.bytes, 0),
          done: mine.every((part) => part.done),
        }
      })
      const sum = (key: 'rows' | 'written' | 'bytes') =>
        tables.reduce((total, table) => total + table[key], 0)
      runs.push({
        ...{ runId, state, active: await isActive(client, runId), source, schema, startedAt },
        ...{ rows: sum('rows'), written: sum('written'), bytes: sum('bytes'), tables },
      })
    }
    return runs
  } finally {
    await disconnect(client)
  }
}
