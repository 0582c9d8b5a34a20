import type { RunState } from '@/db/tables'
import type { Run, RunProgress, TableFigures } from './run'
import type { Speeds } from './speeds'

/** What pages hear of a run while it goes on. Everything else they read anew when `state` or `phase` has changed. */
export interface RunTick {
  state: RunState
  phase: Run['phase']
  /** Its `tables` are those alone that changed since the last tick; `speeds` are there when they changed. */
  progress: RunProgress | null
}

/** In the form of the event stream. */
export interface MigrationNews {
  kind: 'migration'
  runId: string
  news: RunTick
}

/** Publishes the ticks of a run: what has not changed since it was told the last time is left out. */
export function tellsOf(runId: string, publish: (news: MigrationNews) => void): (tick: RunTick) => void {
  const tables = new Map<string, string>()
  let speeds: Speeds | undefined
  return ({ state, phase, progress: whole }) => {
    const progress = whole && {
      ...whole,
      speeds: whole.speeds === speeds ? undefined : whole.speeds,
      tables: whole.tables.filter((table) => tables.get(table.table) !== markOf(table)),
    }
    speeds = whole?.speeds
    for (const table of progress?.tables ?? []) tables.set(table.table, markOf(table))
    publish({ kind: 'migration', runId, news: { state, phase, progress } })
  }
}

const markOf = ({ read, written, rejected, compared, state }: TableFigures) =>
  `${read} ${written} ${rejected} ${compared} ${state}`
