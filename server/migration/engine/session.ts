import { availableParallelism } from 'node:os'
import type Database from 'better-sqlite3'
import { MigrationError } from '../failure'
import { sourceMark } from '../source/mark'
import { checkHeader, openSource, sourceFacts } from '../source/open'
import type { Job, Phase, PhaseTime, PlannedTable, RunNews, SourceMark, TableProgress } from '../types'
import type { Control } from './control'
import { openPool, type Pool, thisThread, threadsOf } from './pool'

/**
 * Bytes of a table that make one range, a unit of work for a thread. A COPY writes to a ring of 16 MB of the server's
 * buffers once it is past them: one of 64 MB costs the server two thirds of what eight of 8 MB do (measured).
 */
const PART_BYTES = 64 * 1024 * 1024
const MAX_PARTS = 96
/** Bytes of the source for each thread: a part of that is read in the time that another thread takes to start. */
const THREAD_BYTES = 4 * 1024 * 1024
const MAX_THREADS = 16
/** Progress is told four times a second at most. */
const PROGRESS_MS = 250

export interface EngineDependencies {
  clock: { now(): number }
  emit(news: RunNews): void
  control: Control
  /** Bundle that a thread starts from. */
  entry: URL
}

/** Everything that one attempt holds open. */
export interface Session {
  job: Job
  pool: Pool
  /** Sees commits of others by data_version; never in the snapshot's transaction. */
  watch: Database.Database
  version: number
  /** The state of the source that the threads read. */
  mark: SourceMark
  times: PhaseTime[]
}

/** 0 go on, 1 stop after this batch, 2 stop at once, 3 stop after this batch and for good. */
const SIGNALS = { run: 0, pause: 1, cancel: 2, stop: 3 } as const

/** Opens source and threads on one snapshot, and closes them whatever happens. */
export async function withSession<T>(
  deps: EngineDependencies,
  job: Job,
  body: (session: Session) => Promise<T>,
): Promise<T> {
  const problem = checkHeader(job.source)
  if (problem) throw problem
  const watch = openSource(job.source)
  const threads = Math.min(job.workers ?? threadsFor(watch), MAX_THREADS)
  const begin = threads < 1 ? thisThread : threadsOf(deps.entry)
  const { source, target, runId } = job
  const pool = openPool(begin, Math.max(1, threads), { source, target, runId })
  const tell = () => pool.signal(SIGNALS[deps.control.wanted])
  deps.control.onChange(tell)
  tell()
  try {
    const { version, mark } = await takeSnapshot(pool, watch, job.exclude)
    return await body({ job, pool, watch, version, mark, times: [] })
  } finally {
    await pool.close()
    watch.close()
  }
}

/** 0: the reading is done in this thread. */
function threadsFor(source: Database.Database): number {
  const wanted = sourceFacts(source).sizeBytes / THREAD_BYTES
  return wanted < 0.25 ? 0 : Math.min(4, availableParallelism(), Math.ceil(wanted))
}

export const dataVersion = (db: Database.Database) => db.pragma('data_version', { simple: true }) as number

/**
 * Begins a read transaction in every thread. All have the same snapshot when nobody committed in between
 * (https://www.sqlite.org/pragma.html#pragma_data_version); otherwise it is tried again.
 */
async function takeSnapshot(pool: Pool, watch: Database.Database, exclude?: readonly string[]) {
  for (let attempt = 0; attempt < 100; attempt++) {
    const version = dataVersion(watch)
    const mark = sourceMark(watch, exclude)
    await pool.everywhere({ kind: 'snapshot' })
    if (dataVersion(watch) === version) return { version, mark }
  }
  throw new MigrationError(
    'SOURCE_BUSY',
    'The source is written to so often that its readers never saw the same state.',
    'Start again when fewer programs write to it.',
  )
}

/** Moves the threads on to the source's present state. */
export async function retakeSnapshot(session: Session): Promise<void> {
  const { pool, watch, job } = session
  Object.assign(session, await takeSnapshot(pool, watch, job.exclude))
}

export async function phase<T>(
  deps: EngineDependencies,
  session: Session,
  name: Phase,
  body: () => Promise<T>,
): Promise<T> {
  const started = performance.now()
  deps.emit({ type: 'phase', phase: name, state: 'started' })
  const result = await body()
  const milliseconds = Math.round(performance.now() - started)
  session.times.push({ phase: name, milliseconds })
  deps.emit({ type: 'phase', phase: name, state: 'finished', milliseconds })
  return result
}

/** How many ranges a table is cut into. The parts of a large one are shared out evenly among the threads. */
export function partsOf(table: PlannedTable, threads: number): number {
  const bytes = table.bytes + table.rows * table.columns.length * 2
  const parts = Math.ceil(bytes / PART_BYTES)
  const even = parts > threads ? Math.ceil(parts / threads) * threads : parts
  return Math.min(MAX_PARTS, Math.max(1, even))
}

/** Emits progress at once, then at most four times a second, and at the end. */
export function reporter(
  deps: EngineDependencies,
  name: Phase,
  read: () => { done: number; total: number; tables: TableProgress[] },
): { soon(): void; end(): void } {
  let timer: NodeJS.Timeout | undefined
  let highest = 0
  const emit = () => {
    const { done, total, tables } = read()
    highest = Math.max(highest, done)
    deps.emit({ type: 'progress', phase: name, done: highest, total: Math.max(total, highest), tables })
  }
  emit()
  return {
    soon() {
      timer ??= setTimeout(() => {
        timer = undefined
        emit()
      }, PROGRESS_MS)
    },
    end() {
      clearTimeout(timer)
      emit()
    },
  }
}
