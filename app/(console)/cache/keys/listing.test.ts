import { describe, expect, test } from 'vitest'
import type { KeyFacts, KeyPage } from '@/components/cache/key-types'
import { joined, type Row, rowsOf } from './listing'

const key = (name: string, rest: Partial<KeyFacts> = {}): KeyFacts => ({
  key: `a:${name}`,
  name,
  type: 'string',
  ttl: null,
  bytes: 10,
  ...rest,
})
const page = (rest: Partial<KeyPage>): KeyPage => ({
  folders: [],
  keys: [],
  scanned: 0,
  total: 0,
  cursor: null,
  at: 0,
  ...rest,
})
const folder = (name: string, keys: number) => ({ name, prefix: `${name}:`, keys })
const names = (rows: Row[]) => rows.map((row) => (row.kind === 'folder' ? row.folder.name : row.facts.name))

describe('pages as one list', () => {
  const pages = [
    page({ folders: [folder('x', 3)], keys: [key('one'), key('two')], scanned: 50, total: 90, cursor: 'c' }),
    page({
      folders: [folder('x', 4), folder('y', 1)],
      keys: [key('two', { bytes: 11 })],
      scanned: 90,
      total: 91,
    }),
  ]
  test('add the keys of folders, and name each key once', () => {
    const list = joined(pages, new Map())
    expect(list.folders).toEqual([folder('x', 7), folder('y', 1)])
    expect(list.keys).toEqual([key('one'), key('two', { bytes: 11 })])
    expect(list).toMatchObject({ scanned: 90, total: 91, cursor: null })
  })
  test('leave out what was deleted, and tell what was changed', () => {
    const list = joined(
      pages,
      new Map([
        ['a:one', null],
        ['a:two', key('two', { ttl: 5 })],
        ['a:elsewhere', key('elsewhere')],
      ]),
    )
    expect(list.keys).toEqual([key('two', { ttl: 5 })])
  })
})

test('folders come first, keys in the asked order, the unknown last', () => {
  const list = joined(
    [
      page({
        folders: [folder('b', 1), folder('a', 2)],
        keys: [key('x', { ttl: 5 }), key('y', { bytes: null }), key('z', { bytes: 99 })],
      }),
    ],
    new Map(),
  )
  expect(names(rowsOf(list, { by: 'name', direction: 'asc' }))).toEqual(['a', 'b', 'x', 'y', 'z'])
  expect(names(rowsOf(list, { by: 'name', direction: 'desc' }))).toEqual(['b', 'a', 'z', 'y', 'x'])
  expect(names(rowsOf(list, { by: 'bytes', direction: 'desc' }))).toEqual(['a', 'b', 'z', 'x', 'y'])
  expect(names(rowsOf(list, { by: 'ttl', direction: 'asc' }))).toEqual(['a', 'b', 'x', 'y', 'z'])
  expect(names(rowsOf(list, { by: 'constructor', direction: 'asc' }))).toEqual(['a', 'b', 'x', 'y', 'z'])
})
