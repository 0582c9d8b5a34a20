import { once } from 'node:events'
import type Database from 'better-sqlite3'
import type pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { beginBatch, endBatch } from '../target/checkpoint'
import { writeRejects } from '../target/rejects'
import { isSent } from '../target/target'
import type { PlannedTable, RejectedRow } from '../types'
import { copyCarefully } from './careful'
import { type ChunkReader, openReader, TEXT } from './chunks'
import { withLargeBlobs } from './large'
import { findMisfits } from './misfits'
import { openPageReader } from './page-reader'
import { NotPlain, type PageFile } from './pages'
import { type Bounds, decodeKey, encodeKey, type Key } from './ranges'
import { isRefusal, type Reject, UnstorableText } from './refusals'
import { copyStatement } from './render'

/**
 * Bytes in one transaction with its checkpoint: few at first and after rows that were refused, which costs a batch its
 * work; then as many as go within a second, or make a whole range.
 */
const FIRST_BYTES = 8 * 1024 * 1024
const MOST_BYTES = 64 * 1024 * 1024
const ENOUGH_MS = 1_000

export interface CopyTask {
  runId: string
  part: number
  table: PlannedTable
  schema: string
  bounds: Bounds
  /** A batch ends early with more rejected rows than this. */
  most: number
}

/** Rows read and bytes sent since the last news; rows committed and rows rejected. */
export interface CopyNews {
  read: number
  written: number
  bytes: number
  rejects?: RejectedRow[]
  /** What was committed together. */
  batch?: { rows: number; bytes: number; milliseconds: number }
}

/** What one transaction loads. `position`: null at the end of the range. */
export interface Batch {
  position: Key | null
  rows: number
  bytes: number
  done: boolean
  rejects: Reject[]
}

export interface CopyDependencies {
  db: Database.Database
  client: pg.Client
  utf16: boolean
  /** The pages of the source, where they alone hold its state. */
  pages(): PageFile | null
  /** 0 go on, 1 and 3 stop after this batch, 2 stop at once. */
  signal(): number
  report(news: CopyNews): void
}

/** Loads what is left of a range, batch by batch. Resolves to false when it was told to stop before the end. */
export async function copyPart(deps: CopyDependencies, task: CopyTask): Promise<boolean> {
  const { client } = deps
  const { runId, part, table } = task
  let reader = (deps.utf16 ? null : openPageReader(deps.db, table, deps.pages)) ?? openRendered(deps, table)
  let most = FIRST_BYTES
  for (let careful = false; ; ) {
    if (deps.signal() !== 0) return false
    const started = performance.now()
    const begun = (await client.query(beginBatch(runId, part))) as unknown as pg.QueryResult[]
    const row = begun[2]?.rows[0] as { position: string | null; done: boolean } | undefined
    if (!row || row.done) {
      await client.query('COMMIT')
      return true
    }
    const bounds = {
      lo: row.position === null ? task.bounds.lo : decodeKey(row.position),
      hi: task.bounds.hi,
    }
    let batch: Batch | null
    try {
      batch = await (careful
        ? copyCarefully(deps, task, bounds)
        : copyBatch(deps, task, reader, bounds, most))
    } catch (error) {
      const plain = error instanceof NotPlain
      if (careful || !(plain || isRefusal(error))) throw error
      if (plain) reader = openRendered(deps, table)
      else careful = true
      most = FIRST_BYTES
      await client.query('ROLLBACK')
      continue
    }
    if (batch === null) {
      await client.query('ROLLBACK')
      return false
    }
    const { rejects, rows }: Batch = batch
    await writeRejects(client, { runId, part, table: table.source }, rejects)
    await client.query(
      endBatch(runId, part, { ...batch, rejected: rejects.length, position: encodeKey(batch.position) }),
    )
    deps.report({
      read: rejects.length + (careful ? rows : 0),
      written: rows,
      bytes: careful ? batch.bytes : 0,
      batch: { rows, bytes: batch.bytes, milliseconds: Math.round(performance.now() - started) },
      ...(rejects.length > 0 && { rejects: rejects.map((one) => ({ table: table.source, ...one })) }),
    })
    if (batch.done) return true
    // Bad rows come in clusters: what follows them is tried with care as well.
    careful &&= rejects.length > 0
    if (!careful) most = MOST_BYTES
  }
}

/** Text that SQLite renders, for every table that there can be. */
function openRendered({ db, utf16 }: CopyDependencies, table: PlannedTable): ChunkReader {
  const reader = openReader(db, table, utf16)
  return utf16 ? reader : withLargeBlobs(db, table, reader)
}

/** One COPY; null when it was cut short by the signal to stop at once. */
async function copyBatch(
  deps: CopyDependencies,
  task: CopyTask,
  reader: ChunkReader,
  bounds: Bounds,
  most: number,
): Promise<Batch | null> {
  const { copy } = reader
  const { stream, finished, abort } = openCopy(
    deps.client,
    copyStatement(task.table, task.schema, copy.format),
    copy.ahead,
  )
  let position: Key | null = bounds.lo
  let rows = 0
  let bytes = 0
  let done = false
  const started = performance.now()
  const wanted = () => bytes < FIRST_BYTES || (bytes < most && performance.now() - started < ENOUGH_MS)
  try {
    if (copy.head) stream.write(copy.head)
    while (!done && wanted() && deps.signal() === 0) {
      const chunk = reader.next({ lo: position, hi: bounds.hi })
      done = chunk.position === null
      position = chunk.position
      if (!chunk.data) continue
      let sent = 0
      for (const piece of chunk.rest ?? [chunk.data]) {
        sent += piece.length
        // The buffer belongs to the stream from here on: reusing it on its callback has corrupted data.
        if (!stream.write(piece)) await Promise.race([once(stream, 'drain'), finished])
        else if (piece.length > 1024) await new Promise(setImmediate)
      }
      if (stream.writableLength === 0 && isSent(deps.client)) reader.giveBack?.()
      rows += chunk.rows
      bytes += sent
      deps.report({ read: chunk.rows, written: 0, bytes: sent })
    }
    if (deps.signal() === 2) {
      await abort(new Error('stopped'))
      return null
    }
    stream.end(copy.tail)
    await finished
    const rejects = findMisfits(
      deps.db,
      task.table,
      { lo: bounds.lo, hi: position ?? bounds.hi },
      'plan',
      task.most + 1,
    )
    if (rejects.length > task.most) throw new UnstorableText('too many rows at once that cannot be stored')
    return { position, rows, bytes, done, rejects }
  } catch (error) {
    await abort(error as Error)
    deps.report({ read: -rows, written: 0, bytes: -bytes })
    throw error
  }
}

/** A COPY at work: `finished` settles when the server has taken it, `abort` when it has let go of it. */
export function openCopy(client: pg.Client, statement: string, highWaterMark = TEXT.ahead) {
  const stream = client.query(copyFrom(statement, { highWaterMark }))
  let ended = false
  const finished = new Promise<void>((resolve, reject) => {
    stream.on('finish', resolve)
    stream.on('error', (error) => {
      // The server has let go of the COPY: what is still to be written has no connection to go to.
      Object.assign(stream, { chunks: [], _gotCopyInResponse: false })
      reject(error)
    })
  })
  const end = () => {
    ended = true
  }
  finished.then(end, end)
  const abort = async (reason: Error) => {
    if (!ended) stream.destroy(reason)
    await finished.catch(() => {})
  }
  return { stream, finished, abort }
}
