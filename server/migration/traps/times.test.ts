import { describe, expect, it } from 'vitest'
import type { Choices } from '../types'
import { noPostgres, openTrap } from './trap'

const choose = (columns: Record<string, string>): { choices: Choices } => ({
  choices: {
    version: 1,
    tables: {
      v: { columns: Object.fromEntries(Object.entries(columns).map(([name, type]) => [name, { type }])) },
    },
  },
})

describe.skipIf(noPostgres)('the trap of', () => {
  const trap = openTrap()
  const values = async (column: string) =>
    (await trap.query(`SELECT (${column})::text AS value FROM v ORDER BY id`)).map(({ value }) => value)
  const utc = (column: string) => values(`${column} AT TIME ZONE 'UTC'`)

  it('dates as ISO text: date and timestamp where every row agrees', async () => {
    const { table } = await trap.run(`
      CREATE TABLE v (id INTEGER PRIMARY KEY, d DATE, s DATETIME, t TIMESTAMP, z DATETIME, u DATETIME);
      INSERT INTO v VALUES (1, '2024-02-29', '2024-01-02 03:04:05', '2024-01-02T03:04:05', '2024-01-02T03:04:05.678Z', '2024-01-02 03:04:05.123456'),
        (2, '0001-01-01', '9999-12-31 23:59:59', '1969-12-31T23:59:59', '1900-01-01T00:00:00.000Z', '0001-01-01 00:00:00.000001'), (3, NULL, NULL, NULL, NULL, NULL);`)
    expect(table('v').columns.map(({ type }) => type)).toEqual([
      'bigint',
      'date',
      'timestamp without time zone',
      'timestamp without time zone',
      'timestamp with time zone',
      'timestamp without time zone',
    ])
    expect(await utc('z')).toEqual(['2024-01-02 03:04:05.678', '1900-01-01 00:00:00', null])
    expect(await values('u')).toEqual(['2024-01-02 03:04:05.123456', '0001-01-01 00:00:00.000001', null])
  })

  it('dates as ISO text that are declared as TEXT: on offer', async () => {
    const { table, report } = await trap.run(
      `CREATE TABLE v (id INTEGER PRIMARY KEY, at TEXT);
       INSERT INTO v VALUES (1, '2024-01-02 03:04:05'), (2, '2024-02-30 00:00:00'), (3, 'soon'), (4, '2024-01-03 00:00:00'), (5, NULL);`,
      choose({ at: 'timestamp without time zone' }),
    )
    expect(table('v').columns[1]?.options?.find(({ type }) => type.startsWith('timestamp'))).toMatchObject({
      refused: 2,
      misfits: ['2024-02-30 00:00:00', 'soon'],
    })
    expect(report).toMatchObject({ rejected: 2, rows: 3 })
    expect(await values('at')).toEqual(['2024-01-02 03:04:05', '2024-01-03 00:00:00', null])
  })

  it('0000-00-00 and the empty string among dates: text, or rejected as dates by choice', async () => {
    const sql = `CREATE TABLE v (id INTEGER PRIMARY KEY, d DATE);
      INSERT INTO v VALUES (1, '0000-00-00'), (2, ''), (3, '2024-02-29'), (4, '2023-02-29'), (5, NULL), (6, '0000-01-01');`
    const plain = await trap.run(sql)
    expect(plain.table('v').columns[1]).toMatchObject({ type: 'text', note: expect.any(String) })
    expect(plain.table('v').columns[1]?.options?.find(({ type }) => type === 'date')).toMatchObject({
      refused: 4,
      misfits: ['0000-00-00', '', '2023-02-29', '0000-01-01'],
    })
    expect(await values('d')).toEqual(['0000-00-00', '', '2024-02-29', '2023-02-29', null, '0000-01-01'])
    await trap.query('DROP TABLE v')
    const { report } = await trap.run(sql, choose({ d: 'date' }))
    expect(report).toMatchObject({ rejected: 4, rows: 2 })
    expect(await values('d')).toEqual(['2024-02-29', null])
  })

  it('unix seconds: numbers, moments by choice', async () => {
    const sql = `CREATE TABLE v (id INTEGER PRIMARY KEY, created_at INTEGER, at DATETIME);
      INSERT INTO v VALUES (1, 0, 1700000000), (2, -1, 1700000000.25), (3, 1700000000, 1.5), (4, NULL, NULL), (5, 253402300799, -0.000001);`
    const plain = await trap.run(sql)
    expect(plain.table('v').columns.map(({ type }) => type)).toEqual(['bigint', 'bigint', 'numeric'])
    await trap.query('DROP TABLE v')
    await trap.run(
      sql.replace('253402300799', '4102444800'),
      choose({ created_at: 'timestamp with time zone', at: 'timestamp with time zone' }),
    )
    expect(await utc('created_at')).toEqual([
      '1970-01-01 00:00:00',
      '1969-12-31 23:59:59',
      '2023-11-14 22:13:20',
      null,
      '2100-01-01 00:00:00',
    ])
    expect(await utc('at')).toEqual([
      '2023-11-14 22:13:20',
      '2023-11-14 22:13:20.25',
      '1970-01-01 00:00:01.5',
      null,
      '1969-12-31 23:59:59.999999',
    ])
  })

  it('milliseconds: numbers, moments by choice', async () => {
    const { table } = await trap.run(
      `CREATE TABLE v (id INTEGER PRIMARY KEY, "createdAt" INTEGER);
       INSERT INTO v VALUES (1, 1700000000123), (2, -1), (3, 0), (4, NULL);`,
      choose({ createdAt: 'timestamp with time zone' }),
    )
    expect(table('v').columns[1]).toMatchObject({
      render: 'milliseconds',
      note: expect.stringContaining('milliseconds'),
    })
    expect(await utc('"createdAt"')).toEqual([
      '2023-11-14 22:13:20.123',
      '1969-12-31 23:59:59.999',
      '1970-01-01 00:00:00',
      null,
    ])
  })

  it('Julian days: numbers, moments by choice', async () => {
    const sql = `CREATE TABLE v (id INTEGER PRIMARY KEY, at DATETIME);
      INSERT INTO v VALUES (1, julianday('2024-02-29 12:34:56.789')), (2, 2440587.5), (3, julianday('1969-12-31 23:59:59.999')), (4, NULL), (5, 1.5);`
    const { table, report } = await trap.run(sql, choose({ at: 'timestamp with time zone' }))
    expect(table('v').columns[1]).toMatchObject({ render: 'julian' })
    expect(report).toMatchObject({ rejected: 1, rows: 4 })
    expect(await utc('at')).toEqual([
      '2024-02-29 12:34:56.789',
      '1970-01-01 00:00:00',
      '1969-12-31 23:59:59.999',
      null,
    ])
  })
})
