import { describe, expect, it } from 'vitest'
import type { Choices, ColumnChoice } from '../types'
import { expectRows, noPostgres, openTrap } from './trap'

/** Types for columns of the table v. */
const choose = (columns: Record<string, string | ColumnChoice>): { choices: Choices } => ({
  choices: {
    version: 1,
    tables: {
      v: {
        columns: Object.fromEntries(
          Object.entries(columns).map(([name, choice]) => [
            name,
            typeof choice === 'string' ? { type: choice } : choice,
          ]),
        ),
      },
    },
  },
})

describe.skipIf(noPostgres)('the trap of', () => {
  const trap = openTrap()
  const types = (columns: { source: string; type: string }[]) =>
    Object.fromEntries(columns.map(({ source, type }) => [source, type]))
  const values = async (column: string, as = 'text') =>
    (await trap.query(`SELECT ${column}::${as} AS value FROM v ORDER BY id`)).map(({ value }) => value)

  const MIXED = `CREATE TABLE v (id INTEGER PRIMARY KEY, n INTEGER);
    INSERT INTO v VALUES (1, 7), (2, 'seven'), (3, x'37ff'), (4, NULL), (5, '8'), (6, '');`

  it('text or blob in an INTEGER column: kept as bytes when nothing is chosen, with what a number would refuse', async () => {
    const { table } = await trap.run(MIXED)
    const n = table('v').columns[1]
    expect(n).toMatchObject({
      type: 'bytea',
      note: expect.stringContaining('Blobs (1) beside other values (4)'),
    })
    expect(n?.options?.find(({ type }) => type === 'bigint')).toMatchObject({
      refused: 3,
      misfits: ['seven', `x'37ff'`, ''],
    })
    expect(n?.options?.find(({ type }) => type === 'text')).toMatchObject({
      refused: 1,
      misfits: [`x'37ff'`],
    })
    expect(await values('n')).toEqual(['\\x37', '\\x736576656e', '\\x37ff', null, '\\x38', '\\x'])
  })

  it('text or blob in an INTEGER column: as bigint, its rows are rejected and every other one arrives', async () => {
    const { report } = await trap.run(MIXED, choose({ n: 'bigint' }))
    expect(report).toMatchObject({ rejected: 3, rows: 3 })
    expect(await values('n')).toEqual(['7', null, '8'])
  })

  it('integers over 2^53 and over int4: exact, and integer is not on offer', async () => {
    const { file, table } = await trap.run(`
      CREATE TABLE v (id INTEGER PRIMARY KEY, big INT, wide INTEGER, small INT, narrow SMALLINT);
      INSERT INTO v VALUES (1, 9007199254740993, 2147483648, 7, -1), (2, -9223372036854775808, 1, 1073741823, 2), (3, 9223372036854775807, -2147483649, 0, 3),
        (9223372036854775807, 0, 0, 0, 0), (-9223372036854775808, 0, 0, 0, 0);`)
    expect(types(table('v').columns)).toEqual({
      id: 'bigint',
      big: 'bigint',
      wide: 'bigint',
      small: 'integer',
      narrow: 'integer',
    })
    for (const column of table('v').columns.slice(1, 3))
      expect(column.options?.map(({ type }) => type)).not.toContain('integer')
    await expectRows(trap, file, ['v'])
  })

  it('REAL in an INTEGER column: numeric holds both exactly', async () => {
    const { file, table } = await trap.run(`
      CREATE TABLE v (id INTEGER PRIMARY KEY, n INTEGER, all_real INTEGER);
      INSERT INTO v VALUES (1, 9007199254740993, 0.5), (2, 0.1, 1e300), (3, 1e-7, -2.5), (4, 2.0, NULL);`)
    expect(types(table('v').columns)).toEqual({ id: 'bigint', n: 'numeric', all_real: 'double precision' })
    expect(await values('trim_scale(n)')).toEqual(['9007199254740993', '0.1', '0.0000001', '2'])
    await expectRows(trap, file, ['v'])
  })

  it('booleans as 0 and 1: boolean where declared, on offer where not', async () => {
    const { table } = await trap.run(
      `CREATE TABLE v (id INTEGER PRIMARY KEY, flag BOOLEAN NOT NULL DEFAULT 1, bit INTEGER, odd BOOLEAN);
       INSERT INTO v VALUES (1, 0, 1, 0), (2, 1, 0, 2), (3, 1, NULL, NULL);`,
      choose({ bit: 'boolean', odd: 'boolean' }),
    )
    expect(types(table('v').columns)).toEqual({
      id: 'bigint',
      flag: 'boolean',
      bit: 'boolean',
      odd: 'boolean',
    })
    expect(table('v').columns[3]?.options?.find(({ type }) => type === 'boolean')).toMatchObject({
      refused: 1,
      misfits: ['2'],
    })
    expect(await values('flag')).toEqual(['false', 'true'])
    expect(await values('bit')).toEqual(['true', null])
    const [row] = await trap.query('INSERT INTO v (id) VALUES (9) RETURNING flag')
    expect(row).toEqual({ flag: true })
  })

  it(`booleans as 't' and 'f', 'true' and 'false', 'yes' and 'no': text, boolean by choice`, async () => {
    const sql = `CREATE TABLE v (id INTEGER PRIMARY KEY, letter BOOLEAN, word TEXT, mixed);
      INSERT INTO v VALUES (1, 't', 'true', 1), (2, 'f', 'FALSE', 'f'), (3, NULL, 'Yes', 'On'), (4, 't', 'maybe', 'off'), (5, 'f', 'no', 0);`
    const plain = await trap.run(sql)
    expect(types(plain.table('v').columns)).toEqual({
      id: 'bigint',
      letter: 'text',
      word: 'text',
      mixed: 'text',
    })
    await trap.query('DROP TABLE v')
    const { table, report } = await trap.run(
      sql,
      choose({ letter: 'boolean', word: 'boolean', mixed: 'boolean' }),
    )
    expect(table('v').columns[2]?.options?.find(({ type }) => type === 'boolean')).toMatchObject({
      refused: 1,
      misfits: ['maybe'],
    })
    expect(report).toMatchObject({ rejected: 1, rows: 4 })
    expect(await values('letter')).toEqual(['true', 'false', null, 'false'])
    expect(await values('word')).toEqual(['true', 'false', 'true', 'false'])
    expect(await values('mixed')).toEqual(['true', 'false', 'true', 'false'])
  })

  it('NaN and ±Infinity: infinities are kept, and SQLite makes NULL of NaN', async () => {
    const { file, table } = await trap.run(
      `
      CREATE TABLE v (id INTEGER PRIMARY KEY, r REAL, n NUMERIC, both);
      INSERT INTO v VALUES (1, 9e999, -9e999, 1), (2, -9e999, 1.5, 9e999), (3, 9e999 - 9e999, 0.5, -9e999), (4, 1.5, NULL, 2);`,
      choose({ both: 'double precision' }),
    )
    expect(types(table('v').columns)).toEqual({
      id: 'bigint',
      r: 'double precision',
      n: 'double precision',
      both: 'double precision',
    })
    expect(await values('r')).toEqual(['Infinity', '-Infinity', null, '1.5'])
    await expectRows(trap, file, ['v'])
  })

  it('-0.0: the sign is kept where SQLite has it', async () => {
    const { file } = await trap.run(
      `CREATE TABLE v (id INTEGER PRIMARY KEY, declared REAL, untyped); INSERT INTO v VALUES (1, -0.0, -0.0), (2, 0.0, 0.0), (3, 1.5, -1.5);`,
    )
    expect(await values('untyped')).toEqual(['-0', '0', '-1.5'])
    await expectRows(trap, file, ['v'])
  })

  const TEXTS = `CREATE TABLE v (id INTEGER PRIMARY KEY, t TEXT);
    INSERT INTO v VALUES (1, 'plain'), (2, 'a' || char(0) || 'b'), (3, CAST(x'66fffe' AS TEXT)), (4, NULL), (5, 'é');`

  it('NUL characters and invalid UTF-8 in text: such rows are rejected', async () => {
    const { report } = await trap.run(TEXTS)
    expect(report).toMatchObject({ rejected: 2, rows: 3 })
    expect(await values('t')).toEqual(['plain', null, 'é'])
  })

  it('NUL characters and invalid UTF-8 in text: every byte is kept in bytea by choice', async () => {
    const { report } = await trap.run(TEXTS, choose({ t: 'bytea' }))
    expect(report).toMatchObject({ rejected: 0, rows: 5 })
    expect(await values('t')).toEqual(['\\x706c61696e', '\\x610062', '\\x66fffe', null, '\\xc3a9'])
  })

  it('a blob in a TEXT column and text in a BLOB column: bytes hold both', async () => {
    const { table } = await trap.run(`
      CREATE TABLE v (id INTEGER PRIMARY KEY, t TEXT, b BLOB, alone BLOB);
      INSERT INTO v VALUES (1, 'text', x'00ff', 'text alone'), (2, x'00ff', 'text', 'too'), (3, '', x'', NULL);`)
    expect(types(table('v').columns)).toEqual({ id: 'bigint', t: 'bytea', b: 'bytea', alone: 'text' })
    expect(await values('t')).toEqual(['\\x74657874', '\\x00ff', '\\x'])
    expect(await values('b')).toEqual(['\\x00ff', '\\x74657874', '\\x'])
    expect(await values('alone')).toEqual(['text alone', 'too', null])
  })

  it('a blob in a TEXT column: text by choice rejects it', async () => {
    const { report } = await trap.run(
      `CREATE TABLE v (id INTEGER PRIMARY KEY, t TEXT); INSERT INTO v VALUES (1, 'text'), (2, x'00ff'), (3, NULL);`,
      choose({ t: 'text' }),
    )
    expect(report).toMatchObject({ rejected: 1, rows: 2 })
    expect(await values('t')).toEqual(['text', null])
  })

  it('columns without a type and invented types: by what they hold', async () => {
    const { file, table } = await trap.run(`
      CREATE TABLE v (id INTEGER PRIMARY KEY, a, b "BLOB SUB_TYPE TEXT", c DECIMAL(4,2), d NVARCHAR(160), e UNSIGNED BIG INT, f GEOMETRY, g "DOUBLE UNSIGNED", h DECIMAL(30,10), i STRING);
      INSERT INTO v VALUES (1, 'x', 'text', 12.34, 'né', 9223372036854775807, 'p', 0.1, 12345678901234567890.5, 7),
        (2, NULL, 'more', 99.99, '', 0, 'q', 1e22, 0.1, 8), (3, 'y', NULL, -0.5, NULL, 1, NULL, NULL, NULL, NULL);`)
    expect(types(table('v').columns)).toEqual({
      id: 'bigint',
      a: 'text',
      b: 'text',
      c: 'numeric(4,2)',
      d: 'text',
      e: 'bigint',
      f: 'text',
      g: 'double precision',
      h: 'numeric',
      i: 'bigint',
    })
    await expectRows(trap, file, ['v'])
  })

  it('DECIMAL(4,2) and NVARCHAR(160) that their own values pass: wider, or what was declared by choice', async () => {
    const sql = `CREATE TABLE v (id INTEGER PRIMARY KEY, c DECIMAL(4,2), d NVARCHAR(5));
      INSERT INTO v VALUES (1, 12.34, 'short'), (2, 123.4, 'too long'), (3, 0.125, 'é'), (4, -9223372036854775808, NULL);`
    const plain = await trap.run(sql)
    expect(types(plain.table('v').columns)).toEqual({ id: 'bigint', c: 'numeric', d: 'text' })
    await trap.query('DROP TABLE v')
    const { report } = await trap.run(sql, choose({ c: 'numeric(4,2)', d: 'character varying(5)' }))
    expect(report).toMatchObject({ rejected: 3, rows: 1 })
    expect(await values('c')).toEqual(['12.34'])
  })

  it('UUIDs and JSON as text: text, with uuid and jsonb on offer', async () => {
    const sql = `CREATE TABLE v (id INTEGER PRIMARY KEY, u TEXT, j TEXT, k JSON);
      INSERT INTO v VALUES (1, '6F9619FF-8B86-D011-B42D-00C04FC964FF', '{"b": 1, "a": [1.50, null]}', '[1,  2]'),
        (2, '6f9619ff-8b86-d011-b42d-00c04fc964ff', '[]', '{}'), (3, 'none', '{broken', NULL), (4, NULL, '{"nul":"\\u0000"}', '[]');`
    const plain = await trap.run(sql)
    expect(types(plain.table('v').columns)).toEqual({ id: 'bigint', u: 'text', j: 'text', k: 'text' })
    const [, u, j] = plain.table('v').columns
    expect(u?.options?.find(({ type }) => type === 'uuid')).toMatchObject({ refused: 1, misfits: ['none'] })
    expect(j?.options?.find(({ type }) => type === 'jsonb')).toMatchObject({ refused: 2 })
    await trap.query('DROP TABLE v')
    const { report } = await trap.run(sql, choose({ u: 'uuid', j: 'jsonb', k: 'json' }))
    expect(report).toMatchObject({ rejected: 2, rows: 2 })
    expect(await values('u')).toEqual(Array(2).fill('6f9619ff-8b86-d011-b42d-00c04fc964ff'))
    expect(await values('j')).toEqual(['{"a": [1.50, null], "b": 1}', '[]'])
    expect(await values('k')).toEqual(['[1,  2]', '{}'])
  })

  it('NULL where none should be: kept, rejected, or the default, by choice', async () => {
    const sql = `CREATE TABLE v (id INTEGER PRIMARY KEY, a TEXT DEFAULT 'none', b INTEGER DEFAULT '7', c REAL DEFAULT -1.5, must TEXT);
      INSERT INTO v VALUES (1, NULL, NULL, NULL, 'x'), (2, 'a', 1, 2.5, 'y'), (3, 'b', NULL, 3.5, NULL);`
    const { report } = await trap.run(
      sql,
      choose({
        a: { nulls: 'default' },
        b: { nulls: 'default' },
        c: { nulls: 'default' },
        must: { nulls: 'reject' },
      }),
    )
    expect(report).toMatchObject({ rejected: 1, rows: 2 })
    expect(await trap.query('SELECT a, b::int, c, must FROM v ORDER BY id')).toEqual([
      { a: 'none', b: 7, c: -1.5, must: 'x' },
      { a: 'a', b: 1, c: 2.5, must: 'y' },
    ])
    expect(
      await trap.query(
        `SELECT attname FROM pg_attribute WHERE attrelid = 'v'::regclass AND attnum > 1 AND attnotnull ORDER BY 1`,
      ),
    ).toEqual(['a', 'b', 'c', 'must'].map((attname) => ({ attname })))
  })

  it('a file in UTF-16: texts, their bytes, booleans from words and JSON come out the same', async () => {
    const sql = `PRAGMA encoding = 'UTF-16le';
      CREATE TABLE v (id INTEGER PRIMARY KEY, t TEXT, bytes TEXT, flag TEXT, j TEXT, short VARCHAR(3));
      INSERT INTO v VALUES (1, 'é 東京 🚀', 'é 東', 'yes', '{"a": "é"}', 'é東🚀'), (2, NULL, NULL, 'no', '[]', NULL);`
    const { table } = await trap.run(
      sql,
      choose({ bytes: 'bytea', flag: 'boolean', j: 'jsonb', short: 'character varying(3)' }),
    )
    expect(table('v').columns.every((column) => !column.fits)).toBe(true)
    expect(await values('t')).toEqual(['é 東京 🚀', null])
    expect(await values('bytes')).toEqual([`\\x${Buffer.from('é 東').toString('hex')}`, null])
    expect(await values('flag')).toEqual(['true', 'false'])
    expect(await values('j')).toEqual(['{"a": "é"}', '[]'])
  })

  it('empty tables: made with the types that were declared', async () => {
    const { table, report } = await trap.run(
      `CREATE TABLE v (id INTEGER PRIMARY KEY, a INT, b DATE, c TIMESTAMP, d DECIMAL(6,2), e VARCHAR(10), f BLOB, g, h BOOLEAN, i REAL);`,
      choose({ e: 'character varying(10)' }),
    )
    expect(report.rows).toBe(0)
    expect(types(table('v').columns)).toEqual({
      id: 'bigint',
      a: 'bigint',
      b: 'date',
      c: 'timestamp without time zone',
      d: 'numeric(6,2)',
      e: 'character varying(10)',
      f: 'bytea',
      g: 'text',
      h: 'boolean',
      i: 'double precision',
    })
  })
})
