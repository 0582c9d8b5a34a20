import type { MessagePort } from 'node:worker_threads'
import type Database from 'better-sqlite3'
import type pg from 'pg'
import { MigrationError, toFailure } from '../failure'
import type { EvidenceColumn } from '../source/evidence'
import { openSource, sourceError } from '../source/open'
import { evidenceOfRange } from '../source/page-evidence'
import { countOrphans, type ReferenceKey } from '../source/references'
import { type SampledColumn, sampleColumns } from '../source/samples'
import { type Trial, type TrialResult, tryTypes } from '../source/trials'
import { targetError } from '../target/errors'
import { connectTarget, disconnect, isGone } from '../target/target'
import { type CopyNews, type CopyTask, copyPart } from '../transfer/copy'
import { isWholeFile, openPages, type PageFile, pagesOf } from '../transfer/pages'
import type { Bounds, Scan } from '../transfer/ranges'
import { registerText } from '../transfer/text'
import { registerUtf8 } from '../transfer/utf8'
import type { ColumnEvidence, Failure, RowDifference, Target } from '../types'
import { registerCanonical } from '../validation/canonical'
import { differenceOfSets } from '../validation/difference-set'
import type { DigestTask } from '../validation/order'
import { type Digest, digestOrdered } from '../validation/ordered'
import { digestSourceSet, digestTargetSet, type Side } from '../validation/sets'

/** What the worker's main thread asks of one that reads and loads. */
export type ThreadTask =
  | { kind: 'snapshot' }
  | { kind: 'release' }
  | { kind: 'quickCheck' }
  | { kind: 'orphans'; key: ReferenceKey }
  | { kind: 'samples'; scan: Scan; columns: { name: string; declaredType: string }[] }
  | { kind: 'evidence'; scan: Scan; bounds: Bounds; columns: EvidenceColumn[] }
  | { kind: 'trials'; scan: Scan; bounds: Bounds; trials: Trial[] }
  | { kind: 'copy'; task: CopyTask }
  | { kind: 'digest'; task: DigestTask }
  | { kind: 'digestSource'; task: DigestTask }
  | { kind: 'digestTarget'; task: DigestTask }
  | { kind: 'setDifference'; task: DigestTask }

/** What each kind of task answers. */
export interface ThreadAnswers {
  snapshot: null
  release: null
  quickCheck: string[]
  /** Rows without their parent. */
  orphans: number
  samples: SampledColumn[]
  evidence: ColumnEvidence[]
  trials: TrialResult[]
  copy: boolean
  digest: Digest
  digestSource: { rows: number; columns: Side[] }
  digestTarget: { rows: number; columns: Side[] }
  setDifference: RowDifference | undefined
}

export interface ThreadSetup {
  source: string
  target: Target
  runId: string
  /** Int32: 0 go on, 1 stop after this batch, 2 stop at once, 3 stop after this batch and for good. */
  signal: SharedArrayBuffer
}

export type ThreadMessage =
  | { id: number; answer: unknown }
  | { id: number; failure: Failure }
  | { id: number; news: CopyNews }

/**
 * A thread with one read transaction on the source and, once it needs it, one connection to the target. What it
 * answers with closes both.
 */
export function serveThread(port: MessagePort, setup: ThreadSetup): () => Promise<void> {
  const flag = new Int32Array(setup.signal)
  const signal = () => Atomics.load(flag, 0)
  let db: Database.Database | undefined
  let client: pg.Client | undefined

  const source = () => {
    if (!db) {
      db = openSource(setup.source)
      registerCanonical(db)
      registerUtf8(db)
      registerText(db)
    }
    return db
  }
  let descriptor: number | undefined
  /** Looked for once in a snapshot. */
  let file: PageFile | null | undefined
  const pages = () => {
    if (file === undefined) {
      const whole = isWholeFile(source())
      if (whole) descriptor ??= openPages(setup.source)
      file = whole && descriptor !== undefined ? pagesOf(descriptor) : null
    }
    return file
  }
  const isUtf16 = () => source().pragma('encoding', { simple: true }) !== 'UTF-8'
  const target = async () => {
    client ??= await connectTarget(setup.target, `holdfast migration ${setup.runId}`)
    return client
  }

  async function run(id: number, task: ThreadTask): Promise<unknown> {
    const rows = (read: number) => port.postMessage({ id, news: { read, written: 0, bytes: 0 } })
    const stopped = () => signal() >= 2
    switch (task.kind) {
      case 'snapshot':
        if (source().inTransaction) source().exec('ROLLBACK')
        source().exec('BEGIN')
        file = undefined
        source().prepare('SELECT count(*) FROM sqlite_schema').get()
        return null
      case 'release':
        if (db?.inTransaction) db.exec('ROLLBACK')
        file = undefined
        return null
      case 'quickCheck':
        return (source().pragma('quick_check(20)') as { quick_check: string }[]).map((row) => row.quick_check)
      case 'orphans':
        return countOrphans(source(), task.key)
      case 'samples':
        return sampleColumns(source(), task.scan, task.columns)
      case 'evidence':
        return evidenceOfRange(source(), isUtf16() ? null : pages(), task.scan, task.bounds, task.columns)
      case 'trials':
        return tryTypes(source(), task.scan, task.bounds, task.trials)
      case 'copy': {
        const utf16 = isUtf16()
        const report = (news: CopyNews) => port.postMessage({ id, news })
        const client = await target()
        return copyPart({ db: source(), client, utf16, pages, signal, report }, task.task)
      }
      case 'digest':
        return digestOrdered(source(), await target(), task.task, rows, stopped)
      case 'digestSource':
        return digestSourceSet(source(), await target(), task.task, rows, stopped)
      case 'digestTarget':
        return digestTargetSet(await target(), task.task)
      case 'setDifference':
        return differenceOfSets(source(), await target(), task.task, stopped)
    }
  }

  port.on('message', async ({ id, task }: { id: number; task: ThreadTask }) => {
    try {
      port.postMessage({ id, answer: await run(id, task) })
    } catch (error) {
      // A connection in an unknown state is not used again.
      const broken = client
      client = undefined
      const lost = broken !== undefined && isGone(broken)
      await disconnect(broken)
      port.postMessage({ id, failure: toFailure(translate(error, setup, lost), true) })
    }
  })

  return async () => {
    port.close()
    db?.close()
    await disconnect(client)
  }
}

/** `lost`: the connection has gone, and whatever a driver that was at work on it stumbled over says no more. */
function translate(error: unknown, setup: ThreadSetup, lost: boolean): unknown {
  if (error instanceof MigrationError) return error
  const { code = '', message } = error as { code?: string; message?: string }
  if (code.startsWith('SQLITE_')) return sourceError(error, setup.source)
  const known =
    lost && code === '' ? new Error(`Connection terminated (${message})`, { cause: error }) : error
  return targetError(known, setup.target)
}
