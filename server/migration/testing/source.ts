import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { undoAfterEach } from '@/db/testing/undo'
import { isWholeFile, openPages, type PageFile, pagesOf } from '../transfer/pages'

/** Makes source files by a script, after pragmas; each is closed and deleted after its test. */
export function sourceFiles(): (script: string, pragmas?: readonly string[]) => Database.Database {
  const later = undoAfterEach()
  return (script, pragmas = []) => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-source-'))
    later(() => rmSync(folder, { recursive: true }))
    const db = new Database(join(folder, 'source.db'))
    later(() => db.close())
    for (const pragma of pragmas) db.pragma(pragma)
    db.exec(script)
    return db
  }
}

/** Reads in one transaction, by pages where they alone hold the file's state. */
export function readingPages<T>(db: Database.Database, read: (file: PageFile | null) => T): T {
  db.exec('BEGIN')
  try {
    db.prepare('SELECT count(*) FROM sqlite_schema').get()
    return read(isWholeFile(db) ? pagesOf(openPages(db.name)) : null)
  } finally {
    db.exec('ROLLBACK')
  }
}
