import { afterEach, describe, expect, it, vi } from 'vitest'
import { isUniqueViolation } from '../errors'
import { bearable, counting, openTestDriver, stallDuring } from './driver.testing'

// What takes a second alone takes many on a busy machine.
vi.setConfig({ testTimeout: 120_000 })

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})
const later = (step: () => unknown) => undo.push(step)

function openTable() {
  const opened = openTestDriver(later)
  opened.client.exec('CREATE TABLE notes (id INTEGER PRIMARY KEY, word TEXT UNIQUE, bytes BLOB)')
  return opened
}

const put = 'INSERT INTO notes (id, word) VALUES (?, ?)'

describe('event loop', () => {
  it('is seen to stand still when it does', async () => {
    const { client } = openTestDriver(later)
    const { took, stall } = await stallDuring(async () => client.prepare(counting(500_000)).get())
    expect(stall).toBeGreaterThan(bearable(took))
  })

  it('goes on while a read takes long', async () => {
    const { driver } = openTestDriver(later)
    await driver.query(counting(2), [], 'all')
    const { took, stall } = await stallDuring(() => driver.query(counting(3_000_000), [], 'all'))
    expect(took).toBeGreaterThan(200)
    expect(stall).toBeLessThan(bearable(took))
    expect(driver.figures()).toMatchObject({ inlineReads: 0, threadReads: 2 })
  })

  it('goes on while a unit writes for long, and short reads are answered meanwhile', async () => {
    const { driver } = openTable()
    await driver.write(put, [1, 'one'], 'run')
    const unit = await driver.begin()
    let answered = 0
    const { took, stall } = await stallDuring(async () => {
      let writing = true
      const written = unit
        .query(
          `INSERT INTO notes (word)
           WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 200000)
           SELECT hex(randomblob(9)) FROM c`,
          [],
          'run',
        )
        .finally(() => {
          writing = false
        })
      while (writing) {
        const { rows } = await driver.query('SELECT word FROM notes WHERE id = ?', [1], 'get')
        expect(rows).toEqual(['one'])
        answered++
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
      await written
      await unit.commit()
    })
    expect(took).toBeGreaterThan(200)
    expect(stall).toBeLessThan(bearable(took))
    expect(answered).toBeGreaterThan(20)
    expect((await driver.query('SELECT count(*) FROM notes', [], 'get')).rows).toEqual([200_001])
  })

  it('goes on while a short read grows long with its table', async () => {
    const { driver } = openTable()
    const search = `SELECT count(*) FROM notes a WHERE a.word LIKE '%x%'`
    await driver.query(search, [], 'get')
    await driver.write(
      `INSERT INTO notes (word)
       WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 1000000)
       SELECT 'word ' || n FROM c`,
      [],
      'run',
    )
    // What the plan said of an empty table is still believed: the first slow call makes it wrong. A million rows are
    // slow on a quick machine, too.
    for (let n = 0; n < 3; n++) await driver.query(search, [], 'get')
    const before = driver.figures()
    await driver.query(search, [], 'get')
    expect(driver.figures().threadReads).toBe(before.threadReads + 1)
  })
})

describe('reads', () => {
  it('see every awaited write', async () => {
    const { driver } = openTable()
    for (let n = 1; n <= 1_000; n++) {
      const unit = await driver.begin()
      await unit.query(put, [n, `word ${n}`], 'run')
      await unit.commit()
      const { rows } = await driver.query('SELECT word FROM notes WHERE id = ?', [n], 'get')
      expect(rows).toEqual([`word ${n}`])
    }
    const { inlineReads, threadReads, writes } = driver.figures()
    expect([inlineReads + threadReads, writes]).toEqual([1_000, 1_000])
    // A call that a busy machine held up sends a few to the thread.
    expect(inlineReads).toBeGreaterThan(500)
  })

  it('in the thread see them, too', async () => {
    const { driver } = openTable()
    for (let n = 1; n <= 200; n++) {
      await driver.write(put, [n, `word ${n}`], 'run')
      const { rows } = await driver.query(`${counting(2)} UNION ALL SELECT count(*) FROM notes`, [], 'all')
      expect(rows).toEqual([[3], [n]])
    }
    expect(driver.figures().threadReads).toBe(200)
  })

  it('do not see what a unit has not committed', async () => {
    const { driver } = openTable()
    const unit = await driver.begin()
    await unit.query(put, [1, 'one'], 'run')
    expect((await unit.query('SELECT word FROM notes', [], 'all')).rows).toEqual([['one']])
    expect((await driver.query('SELECT word FROM notes', [], 'all')).rows).toEqual([])
    await unit.commit()
    expect((await driver.query('SELECT word FROM notes', [], 'all')).rows).toEqual([['one']])
  })

  it('are known again after the schema changed under prepared statements', async () => {
    const { driver, client } = openTable()
    const all = () => driver.query(`SELECT *, (${counting(1)}) FROM notes`, [], 'objects')
    await driver.write(put, [1, 'one'], 'run')
    await driver.query('SELECT * FROM notes', [], 'all')
    await all()
    await driver.alone(() => client.exec('ALTER TABLE notes ADD COLUMN more TEXT DEFAULT "m"'))
    expect((await driver.query('SELECT * FROM notes', [], 'all')).rows).toEqual([[1, 'one', null, 'm']])
    expect((await all()).rows).toMatchObject([{ id: 1, word: 'one', more: 'm' }])
    await driver.write(put, [2, 'two'], 'run')
  })
})

describe('units', () => {
  it('run one at a time in the order in which they came', async () => {
    const { driver } = openTable()
    const order: string[] = []
    await Promise.all(
      Array.from({ length: 50 }, async (_, n) => {
        const unit = await driver.begin()
        order.push(`begin ${n}`)
        const { rows } = await unit.query('SELECT count(*) FROM notes', [], 'get')
        // The count leaves no room for another unit in between.
        await unit.query(put, [(rows as number[])[0], `word ${n}`], 'run')
        order.push(`end ${n}`)
        await unit.commit()
      }),
    )
    expect(order).toEqual(Array.from({ length: 50 }, (_, n) => [`begin ${n}`, `end ${n}`]).flat())
    const { rows } = await driver.query('SELECT id, word FROM notes ORDER BY id', [], 'all')
    expect(rows).toEqual(Array.from({ length: 50 }, (_, n) => [n, `word ${n}`]))
  })

  it('leave nothing behind when they are rolled back, nor take another along', async () => {
    const { driver } = openTable()
    await Promise.all(
      Array.from({ length: 20 }, async (_, n) => {
        const unit = await driver.begin()
        await unit.query(put, [n, `word ${n}`], 'run')
        if (n % 2) return unit.commit()
        await unit.rollback()
        // Whatever comes now comes too late: the next unit has the thread.
        await unit.rollback()
        await unit.commit()
        await expect(unit.query(put, [100 + n, 'late'], 'run')).rejects.toThrow(/had ended/)
      }),
    )
    const { rows } = await driver.query('SELECT id FROM notes ORDER BY id', [], 'all')
    expect(rows).toEqual(Array.from({ length: 10 }, (_, n) => [2 * n + 1]))
  })

  it('are not left in the transaction of a single statement', async () => {
    const { driver } = openTable()
    await expect(driver.query('BEGIN', [], 'run')).rejects.toThrow(/opened by a unit/)
    const unit = await driver.begin()
    await unit.query(put, [1, 'one'], 'run')
    await unit.commit()
    expect((await driver.query('SELECT count(*) FROM notes', [], 'get')).rows).toEqual([1])
  })

  it('leave the main thread’s handle alone when it writes', async () => {
    const { driver } = openTable()
    const unit = await driver.begin()
    await unit.query(put, [1, 'one'], 'run')
    const alone = driver.alone((client) => client.prepare('UPDATE notes SET word = ?').run('two').changes)
    await unit.commit()
    expect(await alone).toBe(1)
    expect((await driver.query('SELECT word FROM notes', [], 'get')).rows).toEqual(['two'])
  })
})

describe('what crosses the thread', () => {
  it('is the same value as without it', async () => {
    const { driver } = openTable()
    const small = Buffer.from('small')
    const values = ['text ü', 1.5, 2 ** 40, 7n, null, true, false, undefined, small, new Uint8Array([0, 255])]
    const select = `SELECT ${values.map((_, n) => `? AS "v${n}"`).join(', ')}`
    const inline = await driver.query(select, values, 'get')
    const threaded = await driver.query(`${select} FROM (${counting(1)})`, values, 'get')
    const written = await driver.write(select, values, 'get')
    expect(driver.figures()).toMatchObject({ inlineReads: 1, threadReads: 1 })
    const expected = ['text ü', 1.5, 2 ** 40, 7, null, 1, 0, null, small, Buffer.from([0, 255])]
    for (const { rows } of [inline, threaded, written]) {
      expect(rows).toEqual(expected)
      expect((rows as unknown[]).slice(-2).every(Buffer.isBuffer)).toBe(true)
    }
  })

  it('answers what was changed, and rows by RETURNING', async () => {
    const { driver } = openTable()
    expect(await driver.query(put, [9, 'nine'], 'run')).toMatchObject({ changes: 1, lastInsertRowid: 9 })
    const returning = 'UPDATE notes SET word = upper(word) RETURNING id, word'
    expect((await driver.query(returning, [], 'all')).rows).toEqual([[9, 'NINE']])
    expect((await driver.query(returning, [], 'objects')).rows).toEqual([{ id: 9, word: 'NINE' }])
    expect((await driver.query('SELECT word FROM notes', [], 'objects')).rows).toEqual([{ word: 'NINE' }])
  })

  it('keeps the code of an error, and tells where it comes from', async () => {
    const { driver } = openTable()
    await driver.write(put, [1, 'one'], 'run')
    const error = await driver.write(put, [2, 'one'], 'run').catch((raised) => raised)
    expect(error).toMatchObject({ name: 'SqliteError', code: 'SQLITE_CONSTRAINT_UNIQUE' })
    expect(error.message).toBe('UNIQUE constraint failed: notes.word')
    expect(error.stack).toMatch(/writes\.ts[\s\S]+in the SQLite thread/)
    expect(isUniqueViolation(error)).toBe(true)
    const unit = await driver.begin()
    expect(isUniqueViolation(await unit.query(put, [1, 'x'], 'run').catch((raised) => raised))).toBe(true)
    await unit.rollback()
    await expect(driver.query('SELECT nothing', [], 'all')).rejects.toMatchObject({ code: 'SQLITE_ERROR' })
  })

  it('refuses a value that it can’t bind without holding up others', async () => {
    const { driver } = openTable()
    const [good, bad] = await Promise.allSettled([
      driver.write(put, [1, 'one'], 'run'),
      driver.write(put, [2, () => 2], 'run'),
    ])
    expect([good.status, bad.status]).toEqual(['fulfilled', 'rejected'])
  })
})

describe('figures', () => {
  it('count every statement by its text, wherever it ran', async () => {
    const seen: [number, unknown][] = []
    const waits: number[] = []
    const { driver, client } = openTestDriver(later, {
      observe: {
        statement: (ms, error) => seen.push([ms, error]),
        waited: (ms) => waits.push(ms),
        refused: () => {},
      },
    })
    client.exec('CREATE TABLE notes (id INTEGER PRIMARY KEY, word TEXT)')
    const unit = await driver.begin()
    await unit.query(put, [1, 'one'], 'run')
    await unit.commit()
    await driver.query('SELECT word FROM notes WHERE id = ?', [1], 'get')
    await driver.query(counting(1_000), [], 'get')
    await expect(driver.write(put, [1, 'one'], 'run')).rejects.toThrow(/UNIQUE/)
    const counted = Object.fromEntries(driver.statements().map((one) => [one.text, [one.calls, one.errors]]))
    expect(counted).toEqual({
      'BEGIN IMMEDIATE': [1, 0],
      [put]: [2, 1],
      COMMIT: [1, 0],
      'SELECT word FROM notes WHERE id = ?': [1, 0],
      [counting(1_000)]: [1, 0],
    })
    expect(seen.length).toBe(6)
    expect(waits.length).toBe(2)
    expect(seen.every(([ms]) => ms > 0)).toBe(true)
  })
})
