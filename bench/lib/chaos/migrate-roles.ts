import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { type Job, persistRun, type RunEnd, type RunEvent } from '@/server/migration'
import { type TableShape, writeOnce } from './migrate-source'

/** What the process of a round is given over its channel. */
export type Role =
  | { role: 'writer'; file: string; shape: TableShape[]; seed: number; pauseMs: number }
  /** `kept`: the file in which it keeps how the run ended, as a console does in its store. */
  | { role: 'driver'; job: Job; worker: string; kept: string; again: boolean }

export type DriverNews = { pid: number; event: RunEvent } | { end: RunEnd }

/** Serves as the process that its parent asks for, and ends with it. */
export function servePart(): void {
  process.on('disconnect', () => process.exit(0))
  process.once('message', (part: Role) => {
    if (part.role === 'writer') write(part)
    else void drive(part)
  })
}

function write({ file, shape, seed, pauseMs }: Extract<Role, { role: 'writer' }>): void {
  const db = new Database(file, { timeout: 30_000 })
  db.pragma('synchronous = OFF')
  let n = 0
  const next = () => {
    writeOnce(db, shape, seed, ++n)
    if (n === 1) process.send?.('writing')
    setTimeout(next, pauseMs)
  }
  next()
}

async function drive({ job, worker, kept, again }: Extract<Role, { role: 'driver' }>): Promise<void> {
  const tell = (news: DriverNews) => process.connected && process.send?.(news)
  if (existsSync(kept)) {
    tell({ end: JSON.parse(readFileSync(kept, 'utf8')) })
    return
  }
  const keep = (end: RunEnd) => {
    writeFileSync(`${kept}.new`, JSON.stringify(end))
    renameSync(`${kept}.new`, kept)
  }
  const options = {
    worker,
    onEvent(event: RunEvent) {
      // Before the worker hears that it was kept, and forgets the run.
      if (event.type === 'done') keep({ state: 'done', report: event.report })
      tell({ pid: handle.pid, event })
    },
  }
  let handle = persistRun(again ? 'resume' : 'start', job, options)
  let end = await handle.ended
  if (again && end.state === 'failed' && end.failure.code === 'RUN_UNKNOWN') {
    // The one before was killed before it had written anything.
    handle = persistRun('start', job, options)
    end = await handle.ended
  }
  tell({ end })
}
