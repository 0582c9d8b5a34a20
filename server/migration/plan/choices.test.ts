import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { readEvidence } from '../source/evidence'
import { sampleColumns } from '../source/samples'
import { inspect } from '../source/source'
import { tryTypes } from '../source/trials'
import { EVERYTHING } from '../transfer/ranges'
import type { Choices, ColumnEvidence, Plan, TableEvidence } from '../types'
import { parseChoices } from './choices-schema'
import { fitsTest } from './fits'
import { candidates } from './options'
import { planTables } from './plan'

/** A plan of a database made by `sql`, with the choices for its tables. */
function plan(sql: string, tables?: Choices['tables']): Plan {
  const db = new Database(':memory:')
  db.exec(sql)
  const schema = inspect(db)
  const evidence = new Map(
    schema.tables.map((table): [string, TableEvidence] => {
      const scan = { table: table.name, columns: [table.rowidName ?? 'id'], descending: false }
      const sampled = sampleColumns(db, scan, table.columns)
      const columns = readEvidence(db, scan, EVERYTHING, sampled)
      const options = sampled.map((column, i) =>
        candidates(column, columns[i] as ColumnEvidence).map((one) => {
          const test = fitsTest(`"${column.name}"`, one)
          const [tried] = test ? tryTypes(db, scan, EVERYTHING, [{ column: column.name, test }]) : []
          return { ...one, refused: tried?.refused ?? 0, misfits: tried?.misfits ?? [] }
        }),
      )
      return [table.name, { names: [], columns, rows: columns[0]?.rows ?? 0, rowids: null, options }]
    }),
  )
  db.close()
  return planTables(schema, evidence, new Map(), 'public', tables && { version: 1, tables })
}

const SHOP = `
  CREATE TABLE maker (id INTEGER PRIMARY KEY, name TEXT UNIQUE, country TEXT DEFAULT 'CH');
  CREATE TABLE item (id INTEGER PRIMARY KEY, maker INTEGER REFERENCES maker(id), size INTEGER, tag TEXT, made TEXT);
  CREATE INDEX item_tag ON item (tag, size);
  INSERT INTO maker VALUES (1, 'one', NULL), (2, 'two', 'DE');
  INSERT INTO item VALUES (1, 1, 4, 'a', '2024-01-02'), (2, 2, 'five', 'b', '2024-02-30'), (3, NULL, NULL, 'c', NULL);`

const columns = (made: Plan, table: string) =>
  made.tables.find((one) => one.source === table)?.columns.map(({ target, type }) => `${target} ${type}`)

describe('what an admin chooses', () => {
  it('changes names of tables and columns wherever they are used', () => {
    const made = plan(SHOP, {
      Maker: { target: 'makers', columns: { ID: { target: 'maker_id' } } },
      item: { columns: { maker: { target: 'made_by' } } },
    })
    expect(made.tables.map(({ target }) => target)).toEqual(['makers', 'item'])
    expect(made.tables[0]).toMatchObject({
      primaryKey: { name: 'makers_pkey', columns: ['maker_id'] },
      identity: { column: 'maker_id' },
      notes: [],
    })
    expect(made.tables[1]?.foreignKeys).toMatchObject([
      { columns: ['made_by'], references: { table: 'makers', columns: ['maker_id'] } },
    ])
  })

  it('leaves out tables and columns, and lists the keys and indexes that go with them', () => {
    const made = plan(SHOP, {
      maker: { columns: { name: { exclude: true } } },
      item: { columns: { tag: { exclude: true }, id: { exclude: true } } },
    })
    expect(columns(made, 'item')).toEqual(['maker bigint', 'size text', 'made text'])
    expect(made.tables[1]).toMatchObject({ primaryKey: null, indexes: [] })
    expect(made.tables[1]).not.toHaveProperty('identity')
    expect(made.notCarried.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'column maker.name',
      'column item.id',
      'column item.tag',
      'index sqlite_autoindex_maker_1',
      'index item_tag',
      'primary key item',
    ])
    const without = plan(SHOP, { maker: { exclude: true } })
    expect(without.tables.map(({ source }) => source)).toEqual(['item'])
    expect(without.notCarried).toEqual([
      { kind: 'table', name: 'maker', reason: 'Left out by choice.' },
      { kind: 'foreign key', name: 'item (maker) → maker', reason: 'The table maker is left out.' },
    ])
  })

  it('takes another type, with the test that its rows must pass', () => {
    const [, item] = plan(SHOP, {
      item: { columns: { size: { type: 'bigint' }, made: { type: 'date' } } },
    }).tables
    const size = item?.columns.find(({ source }) => source === 'size')
    expect(size).toMatchObject({ type: 'bigint', render: 'integer' })
    expect(size?.fits).toContain('typeof')
    expect(size?.options?.find(({ type }) => type === 'bigint')).toMatchObject({
      refused: 1,
      misfits: ['five'],
    })
    expect(item?.columns.find(({ source }) => source === 'made')).toMatchObject({
      type: 'date',
      render: 'time',
      evidence: { shape: 'date' },
    })
    expect(item?.columns.find(({ source }) => source === 'tag')).not.toHaveProperty('fits')
  })

  it('says what becomes of NULL', () => {
    const [maker, item] = plan(SHOP, {
      maker: { columns: { country: { nulls: 'default' } } },
      item: { columns: { maker: { nulls: 'reject' }, id: { nulls: 'reject' } } },
    }).tables
    expect(maker?.columns[2]).toMatchObject({ nullable: false, instead: `'CH'` })
    expect(item?.columns[1]).toMatchObject({ nullable: false, fits: '"maker" IS NOT NULL' })
    expect(item?.columns[0]).not.toHaveProperty('fits')
  })

  it('is refused where it names nothing, collides, or is not on offer', () => {
    const refusal = (tables: Choices['tables']) => {
      try {
        plan(SHOP, tables)
      } catch (error) {
        return error
      }
    }
    const wrong = (tables: Choices['tables'], message: string) =>
      expect(refusal(tables)).toMatchObject({
        code: 'CHOICES_INVALID',
        message: expect.stringContaining(message),
      })
    wrong({ nothing: {} }, 'the source has no table nothing')
    wrong({ item: { columns: { nothing: {} } } }, 'item has no column nothing')
    wrong({ item: { target: 'maker' } }, 'two tables would be named maker')
    wrong({ item: { columns: { tag: { target: 'size' } } } }, 'two columns of item would be named size')
    wrong({ item: { columns: { tag: { type: 'money' } } } }, 'item.tag can’t become money, only text')
    wrong({ item: { columns: { maker: { nulls: 'default' } } } }, 'maker has no constant default')
    wrong({ item: { exclude: true }, maker: { exclude: true } }, 'every table is left out')
    expect(refusal({ item: { target: 'maker' }, maker: { target: 'item' } })).toBeUndefined()
  })
})

describe('a file of choices', () => {
  it('is read, or refused with the places that are wrong', () => {
    expect(parseChoices('{"version":1,"tables":{"a":{"columns":{"b":{"nulls":"reject"}}}}}')).toMatchObject({
      tables: { a: { columns: { b: { nulls: 'reject' } } } },
    })
    const message = (text: string) => {
      try {
        parseChoices(text)
      } catch (error) {
        return (error as Error).message
      }
    }
    expect(message('nonsense')).toContain('it is not JSON')
    expect(message('{}')).toContain('version')
    expect(message('{"version":1,"tables":{"a":{"colums":{}}}}')).toContain('tables › a')
    expect(message(JSON.stringify({ version: 1, tables: { a: { target: 'é'.repeat(32) } } }))).toContain(
      'tables › a › target: a name of at most 63 bytes',
    )
  })
})
