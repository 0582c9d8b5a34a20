import { accessSync, closeSync, constants, existsSync, openSync, readSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { performance } from 'node:perf_hooks'
import BetterSqlite3 from 'better-sqlite3'
import type { Observer } from '@/db/sqlite/book'
import { SqliteDriver, type Unavailable } from '@/db/sqlite/driver'
import { HoldfastError } from '@/server/errors'
import { DatabaseMetrics } from '../metrics'

/** First 16 bytes of every SQLite 3 file (SQLite manual, "Database File Format"). */
const MAGIC = 'SQLite format 3\0'
/** A file up to this size is checked whole at each start; that takes a fifth of a second. */
const CHECKED_BYTES = 64 * 2 ** 20

export interface SqliteFile {
  /** The main thread's handle. Write through it before the first unit, or in `driver.alone`. */
  client: BetterSqlite3.Database
  driver: SqliteDriver
  metrics: DatabaseMetrics
  /** What the file tells of itself. */
  facts(): FileFacts
}

export interface FileFacts {
  version: string
  pageSize: number
  pages: number
  freePages: number
  journalMode: string
  /** 0 OFF, 1 NORMAL, 2 FULL, 3 EXTRA (SQLite manual, PRAGMA synchronous). */
  synchronous: number
  foreignKeys: boolean
}

/** Pragmas as tables: what PRAGMA itself answers is in part settled when it is prepared. */
const FACTS = `
  SELECT sqlite_version() AS version, page_size AS pageSize, page_count AS pages, freelist_count AS freePages,
         journal_mode AS journalMode, synchronous, foreign_keys AS foreignKeys
    FROM pragma_page_size, pragma_page_count, pragma_freelist_count,
         pragma_journal_mode, pragma_synchronous, pragma_foreign_keys`

/**
 * Opens a SQLite file for reading and writing, made if it doesn't exist: WAL, synchronous NORMAL, foreign
 * keys on, 5 s busy timeout. A file that is no database, is damaged or can't be written gives one sentence.
 */
export function openSqliteFile(file: string): SqliteFile {
  let client: BetterSqlite3.Database | undefined
  try {
    refuseUnusable(file)
    client = new BetterSqlite3(file, { timeout: 5_000 })
    check(client, file)
    client.pragma('journal_mode = WAL')
    client.pragma('synchronous = NORMAL')
    client.pragma('foreign_keys = ON')
  } catch (error) {
    client?.close()
    throw explained(file, error)
  }
  const metrics = new DatabaseMetrics()
  // Before statements are counted: looking at the figures is none of the work that they tell of.
  const facts = client.prepare(FACTS)
  // First: it counts what it runs itself.
  const driver = new SqliteDriver(client, { observe: observerOf(metrics), unavailable })
  timeStatements(client, metrics)
  return {
    client,
    driver,
    metrics,
    facts() {
      const row = facts.get() as Omit<FileFacts, 'foreignKeys'> & { foreignKeys: number }
      return { ...row, foreignKeys: row.foreignKeys === 1 }
    },
  }
}

/** Looks for damage before anything is changed. Of a large file only the schema is read, so that a start stays quick. */
function check(client: BetterSqlite3.Database, file: string): void {
  client.prepare('SELECT count(*) FROM sqlite_master').get()
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > CHECKED_BYTES) return
  const [first] = client.pragma('quick_check(1)') as { quick_check: string }[]
  if (first?.quick_check !== 'ok') throw damaged(file)
}

function refuseUnusable(file: string): void {
  if (!existsSync(dirname(file))) throw notWritable(dirname(file), undefined)
  if (!existsSync(file)) return
  if (!statSync(file).isFile()) throw notSqlite(file)
  for (const path of [file, dirname(file)]) {
    try {
      accessSync(path, constants.R_OK | constants.W_OK)
    } catch (error) {
      throw notWritable(path, error)
    }
  }
  const head = Buffer.alloc(16)
  const descriptor = openSync(file, 'r')
  try {
    const length = readSync(descriptor, head, 0, 16, 0)
    if (length > 0 && head.toString('latin1') !== MAGIC) throw notSqlite(file)
  } finally {
    closeSync(descriptor)
  }
}

function explained(file: string, error: unknown): unknown {
  const code = (error as { code?: string }).code ?? ''
  if (code.startsWith('SQLITE_NOTADB')) return notSqlite(file, error)
  if (code.startsWith('SQLITE_CORRUPT')) return damaged(file, error)
  if (/^(SQLITE_CANTOPEN|SQLITE_READONLY|EACCES|EPERM|EROFS)/.test(code)) return notWritable(file, error)
  if (code.startsWith('SQLITE_BUSY')) {
    return new HoldfastError(
      'DATABASE_UNAVAILABLE',
      { message: `${file} is locked by another program.`, remedy: 'End that program and try again.' },
      { cause: error },
    )
  }
  return error
}

function notSqlite(file: string, cause?: unknown): HoldfastError {
  return new HoldfastError(
    'DATABASE_UNAVAILABLE',
    {
      message: `${file} is not a SQLite database.`,
      remedy: 'Restore the file from a backup, or name another place for it.',
    },
    { cause },
  )
}

function damaged(file: string, cause?: unknown): HoldfastError {
  return new HoldfastError(
    'DATABASE_UNAVAILABLE',
    { message: `${file} is damaged.`, remedy: 'Restore it from a backup; it was not changed.' },
    { cause },
  )
}

function notWritable(path: string, cause: unknown): HoldfastError {
  return new HoldfastError(
    'DATABASE_UNAVAILABLE',
    {
      message: `${path} can't be read and written.`,
      remedy: 'Give the user that runs Holdfast read and write access to it.',
    },
    { cause },
  )
}

function unavailable({ details, ...why }: Unavailable, cause?: unknown): HoldfastError {
  const facts = { ...why, retryAfterMs: 1_000, ...(details && { details: { ...details } }) }
  return new HoldfastError('DATABASE_UNAVAILABLE', facts, { cause })
}

/** Writes wait for their turn as statements on PostgreSQL wait for a connection. */
function observerOf(metrics: DatabaseMetrics): Observer {
  return {
    statement: (ms, error) => metrics.statement(ms, error),
    waited: (ms) => metrics.waitTime.record(ms),
    refused(why) {
      if (why === 'late') metrics.acquireTimeouts++
      else if (why === 'full') metrics.queueRefusals++
    },
  }
}

/** Counts and times every statement that is prepared through this handle. */
function timeStatements(client: BetterSqlite3.Database, metrics: DatabaseMetrics): void {
  const prepare = client.prepare.bind(client) as (sql: string) => BetterSqlite3.Statement
  const timed = (statement: BetterSqlite3.Statement, name: 'run' | 'get' | 'all') => {
    const call = statement[name].bind(statement) as (...args: unknown[]) => unknown
    return (...args: unknown[]) => {
      const start = performance.now()
      try {
        const result = call(...args)
        metrics.statement(performance.now() - start)
        return result
      } catch (error) {
        metrics.statement(performance.now() - start, error)
        throw error
      }
    }
  }
  Object.assign(client, {
    prepare(sql: string) {
      const statement = prepare(sql)
      return Object.assign(statement, {
        run: timed(statement, 'run'),
        get: timed(statement, 'get'),
        all: timed(statement, 'all'),
      })
    },
  })
}
