import { once } from 'node:events'
import type Database from 'better-sqlite3'
import type pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { beginBatch, endBatch } from '../target/checkpoint'
import type { PlannedTable } from '../types'
import { openReader } from './chunks'
import { type Bounds, decodeKey, encodeKey, type Key } from './ranges'
import { copyStatement } from './render'

/** Bytes of COPY text in one transaction with its checkpoint. */
const BATCH_BYTES = 8 * 1024 * 1024

export interface CopyTask {
  runId: string
  part: number
  table: PlannedTable
  schema: string
  bounds: Bounds
}

export interface CopyDependencies {
  db: Database.Database
  client: pg.Client
  utf16: boolean
  /** 0 go on, 1 and 3 stop after this batch, 2 stop at once. */
  signal(): number
  /** Rows read and bytes sent since the last call; rows committed. */
  report(news: { read: number; written: number; bytes: number }): void
}

/** Loads what is left of a range, batch by batch. Resolves to false when it was told to stop before the end. */
export async function copyPart(deps: CopyDependencies, task: CopyTask): Promise<boolean> {
  const reader = openReader(deps.db, task.table, deps.utf16)
  for (;;) {
    if (deps.signal() !== 0) return false
    const begun = (await deps.client.query(beginBatch(task.runId, task.part))) as unknown as pg.QueryResult[]
    const row = begun[2]?.rows[0] as { position: string | null; done: boolean } | undefined
    if (!row || row.done) {
      await deps.client.query('COMMIT')
      return true
    }
    const lo = row.position === null ? task.bounds.lo : decodeKey(row.position)
    const batch = await copyBatch(deps, task, reader, { lo, hi: task.bounds.hi })
    if (batch === null) {
      await deps.client.query('ROLLBACK')
      return false
    }
    await deps.client.query(
      endBatch(task.runId, task.part, { ...batch, position: encodeKey(batch.position) }),
    )
    deps.report({ read: 0, written: batch.rows, bytes: 0 })
    if (batch.done) return true
  }
}

/** One COPY; null when it was cut short by the signal to stop at once. */
async function copyBatch(
  deps: CopyDependencies,
  task: CopyTask,
  reader: ReturnType<typeof openReader>,
  bounds: Bounds,
) {
  const stream = deps.client.query(
    copyFrom(copyStatement(task.table, task.schema), { highWaterMark: 1 << 20 }),
  )
  let ended = false
  const finished = new Promise<void>((resolve, reject) => {
    stream.on('finish', resolve)
    stream.on('error', reject)
  })
  finished.catch(() => {
    ended = true
  })
  const abort = async (reason: Error) => {
    if (!ended) stream.destroy(reason)
    await finished.catch(() => {})
  }
  let position: Key | null = bounds.lo
  let rows = 0
  let bytes = 0
  let done = false
  try {
    while (!done && bytes < BATCH_BYTES && deps.signal() === 0) {
      const chunk = reader.next({ lo: position, hi: bounds.hi })
      done = chunk.position === null
      position = chunk.position
      if (!chunk.data) continue
      rows += chunk.rows
      bytes += chunk.data.length
      deps.report({ read: chunk.rows, written: 0, bytes: chunk.data.length })
      // The buffer belongs to the stream from here on: reusing it on its callback has corrupted data.
      if (!stream.write(chunk.data)) await Promise.race([once(stream, 'drain'), finished])
      else await new Promise(setImmediate)
    }
  } catch (error) {
    await abort(error as Error)
    throw error
  }
  if (deps.signal() === 2) {
    await abort(new Error('stopped'))
    return null
  }
  stream.end()
  await finished
  return { position, rows, bytes, done }
}
