import { closeSync, openSync, readSync, statSync } from 'node:fs'
import Database from 'better-sqlite3'
import { MigrationError } from '../failure'
import type { SourceFacts } from '../types'
import { missingBytes } from './cut-off'

/**
 * Says why a file can't be a SQLite database, by its first 16 bytes (https://www.sqlite.org/fileformat.html#magic_header_string).
 * Only for a process that has the file not open by SQLite: closing this descriptor drops the process's locks.
 */
export function checkHeader(file: string): MigrationError | null {
  try {
    if (!statSync(file).isFile()) {
      return new MigrationError('SOURCE_NOT_SQLITE', `${file} is not a file.`, 'Name a SQLite database file.')
    }
    const header = Buffer.alloc(16)
    const descriptor = openSync(file, 'r')
    let read = 0
    try {
      read = readSync(descriptor, header, 0, 16, 0)
    } finally {
      closeSync(descriptor)
    }
    if (read === 0) {
      return new MigrationError(
        'SOURCE_NOT_SQLITE',
        `${file} is empty.`,
        'Name a SQLite database file with tables.',
      )
    }
    if (header.toString('latin1') !== 'SQLite format 3\0') {
      return new MigrationError(
        'SOURCE_NOT_SQLITE',
        `${file} is not a SQLite database, or it is encrypted: its header is not SQLite's.`,
        'Name a SQLite 3 file; decrypt an encrypted one first.',
      )
    }
    const missing = missingBytes(file)
    if (missing > 0) {
      return new MigrationError(
        'SOURCE_CORRUPT',
        `${file} is cut off: ${missing.toLocaleString('en')} bytes are missing at its end.`,
        'Copy or upload it again, whole; else restore a backup, or save what can be read with `sqlite3 FILE .recover`.',
      )
    }
    return null
  } catch (error) {
    return new MigrationError(
      'SOURCE_UNREADABLE',
      `${file} can't be read: ${(error as Error).message}`,
      'Check that the file exists and that the user of this process may read it and its folder.',
      { cause: error, heals: (error as NodeJS.ErrnoException).code === 'ENOENT' },
    )
  }
}

/** Opens a database read-only; statements wait up to 5 s for a writer's lock. */
export function openSource(file: string): Database.Database {
  try {
    const db = new Database(file, { readonly: true, fileMustExist: true, timeout: 5000 })
    db.pragma('cache_size = -8000')
    db.prepare('SELECT count(*) FROM sqlite_schema').get()
    return db
  } catch (error) {
    throw sourceError(error, file)
  }
}

/** SQLite's error as ours. */
export function sourceError(error: unknown, file: string): MigrationError {
  if (error instanceof MigrationError) return error
  const { code = '', message = String(error) } = error as { code?: string; message?: string }
  if (code === 'SQLITE_NOTADB') {
    return new MigrationError(
      'SOURCE_NOT_SQLITE',
      `${file} is not a SQLite database, or it is encrypted.`,
      'Name a SQLite 3 file; decrypt an encrypted one first.',
      { cause: error },
    )
  }
  if (code.startsWith('SQLITE_CORRUPT')) {
    return new MigrationError(
      'SOURCE_CORRUPT',
      `${file} is damaged: ${message}`,
      'Restore a backup, or save what can be read with `sqlite3 FILE .recover`.',
      { cause: error },
    )
  }
  if (code.startsWith('SQLITE_BUSY')) {
    return new MigrationError(
      'SOURCE_BUSY',
      `${file} is locked by another program that is writing to it.`,
      'Wait for the writer or stop it, then resume.',
      { cause: error },
    )
  }
  return new MigrationError(
    'SOURCE_UNREADABLE',
    `${file} can't be read: ${message}`,
    'Check the rights on the file and its folder (a WAL database needs its -shm file beside it).',
    { cause: error },
  )
}

export function sourceFacts(db: Database.Database): SourceFacts {
  const size = db
    .prepare('SELECT page_count * page_size FROM pragma_page_count, pragma_page_size')
    .pluck()
    .get()
  return {
    file: db.name,
    sizeBytes: Number(size),
    sqliteVersion: db.prepare('SELECT sqlite_version()').pluck().get() as string,
    journalMode: db.pragma('journal_mode', { simple: true }) as string,
    encoding: db.pragma('encoding', { simple: true }) as string,
  }
}
