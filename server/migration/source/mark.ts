import { createHash, randomUUID } from 'node:crypto'
import { realpathSync, statSync } from 'node:fs'
import type Database from 'better-sqlite3'
import { MigrationError } from '../failure'
import type { SourceMark } from '../types'

/** File times are as coarse as a tick of the kernel's clock: a write within one may leave no trace in them. */
const TICK_NS = 50_000_000n

/**
 * By what a state of the source is known again. Files are asked for times and sizes alone: to open and close one would
 * drop this process's SQLite locks on it. Two marks that differ may stand for the same rows, as after a checkpoint or
 * where a write was too recent to tell a later one from it; equal ones never stand for different rows.
 */
export function sourceMark(db: Database.Database, exclude: readonly string[] = []): SourceMark {
  const listed = db.prepare(`SELECT name, sql FROM sqlite_schema WHERE type = 'table' ORDER BY name`)
  // SQLite's own tables come and go with ANALYZE, ours with a capture of changes.
  const tables = (listed.raw().all() as [string, string][]).filter(
    ([name]) => !/^(sqlite|holdfast)_/i.test(name) && !exclude.includes(name),
  )
  return {
    tables: createHash('sha256').update(JSON.stringify(tables)).digest('hex'),
    files: fileMark(db.name),
  }
}

function fileMark(name: string): string {
  const path = realOf(name)
  const now = BigInt(Date.now()) * 1_000_000n
  const file = statOf(path)
  const wal = statOf(`${path}-wal`)
  const marks = [file, wal].map((one) =>
    one && one.size > 0n ? `${one.dev}:${one.ino}:${one.size}:${one.mtimeNs}` : '-',
  )
  const recent = [file, wal].some((one) => one && one.size > 0n && one.mtimeNs > now - TICK_NS)
  return [...marks, ...(recent ? [randomUUID()] : [])].join(' ')
}

function realOf(name: string): string {
  try {
    return realpathSync(name)
  } catch {
    return name
  }
}

const statOf = (path: string) => statSync(path, { bigint: true, throwIfNoEntry: false })

/** Throws SOURCE_CHANGED when tables were made, altered or dropped since the plan. */
export function refuseOtherTables(planned: SourceMark | undefined, now: SourceMark, file: string): void {
  if (!planned || planned.tables === now.tables) return
  throw new MigrationError(
    'SOURCE_CHANGED',
    `The tables of ${file} are not those of the plan any more: some were made, altered or dropped, or it is another file.`,
    'Put the file back as it was, or cancel the run and plan a new one.',
  )
}
