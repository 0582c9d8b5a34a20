import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { isHoldfastError } from '@/server/errors'
import { openSqliteFile, type SqliteFile } from './open'
import { querySqlite } from './query'

const folder = mkdtempSync(join(tmpdir(), 'holdfast-query-'))
afterAll(() => rmSync(folder, { recursive: true }))
let opened: SqliteFile
afterEach(() => opened.driver.close())

function open(name: string) {
  opened = openSqliteFile(join(folder, name))
  opened.client.exec('CREATE TABLE notes (id INTEGER PRIMARY KEY, word TEXT UNIQUE)')
  return opened
}

describe('query on SQLite', () => {
  it('answers rows by column name, and how many', async () => {
    const { driver } = open('rows.sqlite')
    const put = 'INSERT INTO notes (word) VALUES (?), (?)'
    expect(await querySqlite(driver, put, ['a', 'b'])).toEqual({ rows: [], rowCount: 2 })
    const all = { rows: [{ word: 'a' }, { word: 'b' }], rowCount: 2 }
    const select = 'SELECT word FROM notes ORDER BY word'
    expect(await querySqlite(driver, select, [], { read: true })).toEqual(all)
    expect(driver.figures()).toMatchObject({ writes: 1, inlineReads: 1 })
    // Without `read` nobody knows what a statement does: it has its turn.
    expect(await querySqlite(driver, select)).toEqual(all)
    expect(driver.figures()).toMatchObject({ writes: 2, inlineReads: 1 })
    expect(await querySqlite(driver, 'UPDATE notes SET word = upper(word) RETURNING id')).toEqual({
      rows: [{ id: 1 }, { id: 2 }],
      rowCount: 2,
    })
  })

  it('checkpoints and makes indexes in the thread', async () => {
    const { driver } = open('duties.sqlite')
    await querySqlite(driver, 'CREATE INDEX notes_word ON notes (word)')
    const { rows } = await querySqlite(driver, 'PRAGMA wal_checkpoint(TRUNCATE)')
    expect(rows).toEqual([{ busy: 0, log: 0, checkpointed: 0 }])
  })

  it('is counted and timed wherever it ran, with its wait and its errors', async () => {
    const { driver, metrics } = open('counted.sqlite')
    const { queries } = metrics
    await querySqlite(driver, 'SELECT 1', [], { read: true })
    await querySqlite(driver, 'SELECT * FROM json_each(?)', ['[1]'], { read: true })
    await querySqlite(driver, 'INSERT INTO notes (word) VALUES (?)', ['a'])
    const again = querySqlite(driver, 'INSERT INTO notes (word) VALUES (?)', ['a'])
    await expect(again).rejects.toMatchObject({ code: 'SQLITE_CONSTRAINT_UNIQUE' })
    expect(metrics.queries - queries).toBe(4)
    expect(Object.fromEntries(metrics.errors)).toEqual({ SQLITE_CONSTRAINT_UNIQUE: 1 })
    expect(metrics.waitTime.counts().count).toBe(2)
    expect(driver.figures()).toMatchObject({ inlineReads: 1, threadReads: 1, writes: 2 })
  })

  it('is refused with a remedy when the store is closed', async () => {
    const { driver } = open('closed.sqlite')
    await driver.close()
    const error = await querySqlite(driver, 'SELECT 1').catch((raised) => raised)
    expect(isHoldfastError(error) && [error.code, error.remedy]).toEqual([
      'DATABASE_UNAVAILABLE',
      'Try again when Holdfast has started.',
    ])
  })
})
