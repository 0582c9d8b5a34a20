import { describe, expect, test } from 'vitest'
import type { TableFigures } from '@/components/database/types'
import { isDueForVacuum, nameOf, passes, sorted, type TableFilter, writesOf } from './choose'

const table = (name: string, rest: Partial<TableFigures> = {}): TableFigures => ({
  schema: 'public',
  name,
  rows: 100,
  tableBytes: 8_192,
  indexBytes: 8_192,
  deadRows: 0,
  vacuumAt: 70,
  lastVacuumAt: 1,
  lastAnalyzeAt: 1,
  sequentialScans: 0,
  indexScans: 0,
  inserts: 0,
  updates: 0,
  deletes: 0,
  indexes: [],
  ...rest,
})
const index = {
  name: 'orders_state',
  ddl: '',
  bytes: 0,
  scans: 0,
  unique: false,
  primary: false,
  valid: true,
}
const names = (tables: TableFigures[]) => tables.map(({ name }) => name)

test('a table is named by its schema where that is not the usual one', () => {
  expect(nameOf(table('orders'))).toBe('orders')
  expect(nameOf(table('orders', { schema: 'old' }))).toBe('old.orders')
  expect(nameOf(table('orders', { schema: null }))).toBe('orders')
})

test('writes are the sum, and unknown where a part is', () => {
  expect(writesOf(table('a', { inserts: 1, updates: 2, deletes: 3 }))).toBe(6)
  expect(writesOf(table('a', { deletes: null }))).toBeNull()
})

test('a table is due for vacuum from the threshold on, and never where there is none', () => {
  expect(isDueForVacuum(table('a', { deadRows: 69 }))).toBe(false)
  expect(isDueForVacuum(table('a', { deadRows: 70 }))).toBe(true)
  expect(isDueForVacuum(table('a', { deadRows: 70, vacuumAt: null }))).toBe(false)
})

describe('the filter of tables', () => {
  const chosen = (filter: Partial<TableFilter>, of: TableFigures) =>
    passes({ text: '', attention: null, ...filter }, of)
  test('looks for the text in the names of table and indexes', () => {
    const orders = table('orders', { indexes: [index] })
    expect(chosen({ text: 'ORDERS_st ' }, orders)).toBe(true)
    expect(chosen({ text: 'ord' }, orders)).toBe(true)
    expect(chosen({ text: 'users' }, orders)).toBe(false)
  })
  test('finds what needs attention', () => {
    expect(chosen({ attention: 'vacuum' }, table('a', { deadRows: 90 }))).toBe(true)
    expect(chosen({ attention: 'unanalysed' }, table('a', { lastAnalyzeAt: null }))).toBe(true)
    expect(chosen({ attention: 'unanalysed' }, table('a', { lastAnalyzeAt: null, rows: 0 }))).toBe(false)
    expect(chosen({ attention: 'unanalysed' }, table('a', { lastAnalyzeAt: null, schema: null }))).toBe(false)
    expect(chosen({ attention: 'invalid' }, table('a', { indexes: [{ ...index, valid: false }] }))).toBe(true)
    expect(chosen({ attention: 'invalid' }, table('a', { indexes: [index] }))).toBe(false)
    const read = { sequentialScans: 5, indexScans: 1 }
    expect(chosen({ attention: 'sequential' }, table('a', { ...read, rows: 50_000 }))).toBe(true)
    expect(chosen({ attention: 'sequential' }, table('a', { ...read, rows: 50 }))).toBe(false)
  })
})

describe('the order of tables', () => {
  const all = [
    table('b', { tableBytes: 3, deadRows: null }),
    table('a', { tableBytes: 3, deadRows: 1 }),
    table('t10', { tableBytes: 9, deadRows: 2 }),
    table('t9', { tableBytes: 1, deadRows: 2 }),
  ]
  test('is by name where nothing else is known, numbers in their order', () => {
    expect(names(sorted(all, { by: 'name', direction: 'asc' }))).toEqual(['a', 'b', 't9', 't10'])
    expect(names(sorted(all, { by: 'toString', direction: 'desc' }))).toEqual(['t10', 't9', 'b', 'a'])
  })
  test('puts equal ones by name, and unknown ones last', () => {
    expect(names(sorted(all, { by: 'size', direction: 'desc' }))).toEqual(['t10', 'a', 'b', 't9'])
    expect(names(sorted(all, { by: 'dead', direction: 'desc' }))).toEqual(['t9', 't10', 'a', 'b'])
    expect(names(sorted(all, { by: 'dead', direction: 'asc' }))).toEqual(['a', 't9', 't10', 'b'])
  })
})
