import { describe, expect, it } from 'vitest'
import { noPostgres, openTrap } from './trap'

describe.skipIf(noPostgres)('the trap of', () => {
  const trap = openTrap()

  it('DEFAULT expressions: moments, random values, signs, blobs and truths are made anew for each row', async () => {
    const { listed } = await trap.run(`
      CREATE TABLE d (id INTEGER PRIMARY KEY, a DATETIME DEFAULT CURRENT_TIMESTAMP, b DATE DEFAULT (date('now')), c TEXT DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
        d INTEGER DEFAULT (strftime('%s', 'now')), e TEXT DEFAULT (lower(hex(randomblob(16)))), f INTEGER DEFAULT (abs(random()) % 10), g TEXT DEFAULT (datetime('now', '+7 days')),
        h REAL DEFAULT -1.5, i BLOB DEFAULT x'00ff', j BOOLEAN DEFAULT TRUE, k TEXT DEFAULT CURRENT_TIME, l INTEGER DEFAULT (1 + 2 * 3), m DECIMAL(6,2) DEFAULT 9.5, n BOOLEAN DEFAULT '0',
        u TEXT DEFAULT (lower(hex(randomblob(4))) || '-' || lower(hex(randomblob(2))) || '-4' || substr(lower(hex(randomblob(2))), 2) || '-' || substr('89ab', abs(random()) % 4 + 1, 1) || substr(lower(hex(randomblob(2))), 2) || '-' || lower(hex(randomblob(6)))),
        z TEXT DEFAULT (printf('%03d', 7)), w DATETIME DEFAULT '');
      CREATE TABLE one (v);`)
    expect(listed).toEqual(['default d.w', 'default d.z'])
    const [row] = await trap.query(
      `INSERT INTO d DEFAULT VALUES RETURNING *, a > now() AT TIME ZONE 'UTC' - interval '1 minute' AS recent, b = (now() AT TIME ZONE 'UTC')::date AS today`,
    )
    expect(row).toMatchObject({
      id: '1',
      recent: true,
      today: true,
      h: -1.5,
      j: true,
      l: '7',
      m: '9.50',
      n: false,
      z: null,
      w: null,
    })
    expect(row).toMatchObject({
      c: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      e: expect.stringMatching(/^[0-9a-f]{32}$/),
      f: expect.stringMatching(/^\d$/),
      g: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/),
      k: expect.stringMatching(/^\d\d:\d\d:\d\d$/),
      u: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
    })
    expect(Math.abs(Number(row?.d) - Date.now() / 1000)).toBeLessThan(60)
    expect(Buffer.from(row?.i as Buffer).toString('hex')).toBe('00ff')
    const [other] = await trap.query('INSERT INTO d DEFAULT VALUES RETURNING e, u')
    expect(other?.e).not.toBe(row?.e)
  })
})
