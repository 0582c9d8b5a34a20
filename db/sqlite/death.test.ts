import BetterSqlite3 from 'better-sqlite3'
import { type SQL, sql } from 'drizzle-orm'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { openSqlite } from '../open'
import { q, unit } from '../unit'
import { SqliteDriver } from './driver'
import { counting, openTestDriver } from './driver.testing'
import { builtWorker, Thread } from './thread'

// Threads start, and a file is waited for: on a busy machine that takes its time.
vi.setConfig({ testTimeout: 120_000 })

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

/** With threads of its own: what is done to them disturbs nobody. */
function openTable() {
  const threads = { writer: new Thread(builtWorker()), reader: new Thread(builtWorker()) }
  undo.push(() => Promise.all([threads.writer.stop(), threads.reader.stop()]))
  const opened = { ...openTestDriver((step) => undo.push(step), { threads }), threads }
  opened.client.exec('CREATE TABLE notes (id INTEGER PRIMARY KEY)')
  return opened
}

const put = 'INSERT INTO notes VALUES (?)'
const gone = { code: 'DATABASE_UNAVAILABLE', message: 'The SQLite thread died, and nothing was written.' }

describe('a thread that dies', () => {
  it('takes its unit along and is started again', async () => {
    const { driver, threads } = openTable()
    const unit = await driver.begin()
    await unit.query(put, [1], 'run')
    const long = unit.query(`INSERT INTO notes ${counting(50_000_000)}`, [], 'run')
    const waiting = driver.begin()
    const refused = expect(long).rejects.toMatchObject(gone)
    await threads.writer.stop()
    await refused
    await expect(unit.query(put, [2], 'run')).rejects.toMatchObject(gone)
    await expect(unit.commit()).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
    const next = await waiting
    await next.query(put, [3], 'run')
    await next.commit()
    expect((await driver.query('SELECT id FROM notes', [], 'all')).rows).toEqual([[3]])
  })

  it('has a unit of the store run again', async () => {
    const { driver, threads } = openTable()
    const store = openSqlite(driver)
    await driver.write(put, [1], 'run')
    let runs = 0
    const insert = unit('test.insert', function* ({ db }, id: number) {
      const inserting = (db as unknown as { run(query: SQL): Promise<unknown> }).run(
        sql`INSERT INTO notes VALUES (${id})`,
      )
      if (++runs === 1) void threads.writer.stop()
      yield* q(inserting)
      return id
    })
    expect(await store.run(insert, 7)).toBe(7)
    expect(runs).toBe(2)
    expect((await driver.query('SELECT id FROM notes', [], 'all')).rows).toEqual([[1], [7]])
  })

  it('says that the outcome of a write on its way is unknown', async () => {
    const { driver, threads } = openTable()
    const unit = await driver.begin()
    await unit.query(put, [1], 'run')
    const unknown = {
      code: 'DATABASE_UNAVAILABLE',
      message: 'The SQLite thread died during a write: whether it was kept is unknown.',
    }
    const kept = expect(unit.commit()).rejects.toMatchObject(unknown)
    const single = expect(driver.write(put, [2], 'run')).rejects.toMatchObject(unknown)
    await threads.writer.stop()
    await Promise.all([kept, single])
    await driver.write(put, [3], 'run')
  })

  it('is asked once more for a read', async () => {
    const { driver, threads } = openTable()
    const read = driver.query(counting(1_000_000), [], 'get')
    await threads.reader.stop()
    expect((await read).rows).toEqual([(1_000_000 * 1_000_001) / 2])
    expect(threads.reader.generation).toBe(1)
  })

  it('that can’t even start refuses everybody', async () => {
    const { client } = openTable()
    const nowhere = () => new Thread('/nowhere/sqlite-worker.mjs')
    const driver = new SqliteDriver(client, { threads: { writer: nowhere(), reader: nowhere() } })
    await expect(driver.query(counting(2), [], 'get')).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
    const unit = await driver.begin()
    await expect(unit.query(put, [1], 'run')).rejects.toMatchObject(gone)
    await unit.rollback().catch(() => {})
    expect((await driver.query('SELECT count(*) FROM notes', [], 'get')).rows).toEqual([0])
  })
})

describe('a file that somebody else has locked', () => {
  it('is waited for, and then refused without holding up the event loop', async () => {
    const { driver, file } = openTable()
    const other = new BetterSqlite3(file)
    undo.push(() => other.close())
    other.exec('BEGIN IMMEDIATE')
    const unit = await driver.begin()
    const first = unit.query(put, [1], 'run')
    await driver.query(counting(1_000), [], 'get')
    other.exec('COMMIT')
    await first
    await unit.commit()
    other.exec('BEGIN IMMEDIATE')
    const start = performance.now()
    await expect(driver.write(put, [2], 'run')).rejects.toMatchObject({ code: 'SQLITE_BUSY' })
    expect(performance.now() - start).toBeGreaterThan(4_900)
    other.exec('COMMIT')
  })
})

describe('closing', () => {
  it('waits for the running unit, and refuses who waits and who comes', async () => {
    const { driver, client, file } = openTable()
    const unit = await driver.begin()
    await unit.query(put, [1], 'run')
    const waiting = expect(driver.begin()).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
    const closed = driver.close()
    await waiting
    await expect(driver.write(put, [9], 'run')).rejects.toThrow('The SQLite store is closed.')
    await expect(driver.query('SELECT 1', [], 'all')).rejects.toThrow('The SQLite store is closed.')
    await unit.query(put, [2], 'run')
    await unit.commit()
    await closed
    expect(client.open).toBe(false)
    const later = new BetterSqlite3(file)
    expect(later.prepare('SELECT id FROM notes').pluck().all()).toEqual([1, 2])
    later.close()
  })

  it('does not wait for a long read, nor lose it', async () => {
    const { driver } = openTable()
    let answered = false
    const read = driver.query(counting(2_000_000), [], 'get').finally(() => {
      answered = true
    })
    await driver.close(0)
    expect(answered).toBe(false)
    expect((await read).rows).toEqual([(2_000_000 * 2_000_001) / 2])
  })

  it('leaves the file to its owner alone', async () => {
    const { driver, client } = openTable()
    await driver.write(put, [1], 'run')
    await driver.query(counting(2), [], 'get')
    await driver.leave()
    // Refused while any other connection is open.
    expect(client.pragma('journal_mode = DELETE', { simple: true })).toBe('delete')
  })
})
