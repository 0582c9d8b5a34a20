import { describe, expect, test } from 'vitest'
import type { Statement } from '@/components/database/types'
import { kindOf, passes, sorted } from './choose'

const statement = (text: string, rest: Partial<Statement> = {}): Statement => ({
  fingerprint: text,
  text,
  calls: 1,
  totalMs: 1,
  meanMs: 1,
  maxMs: 1,
  rows: 1,
  errors: null,
  cacheHitRatio: null,
  share: 0,
  ...rest,
})
const texts = (statements: Statement[]) => statements.map(({ text }) => text)

test('a statement reads, writes, or does neither', () => {
  expect(
    ['select 1', '(SELECT 1) union select 2', 'with a as (select 1) select * from a'].map(kindOf),
  ).toEqual(['read', 'read', 'read'])
  expect(
    [
      'insert into a values ($1)',
      'WITH a AS (DELETE FROM b RETURNING *) SELECT * FROM a',
      'update a set b = $1',
    ].map(kindOf),
  ).toEqual(['write', 'write', 'write'])
  expect(['begin', 'pragma optimize', ''].map(kindOf)).toEqual(['other', 'other', 'other'])
})

describe('the filter of statements', () => {
  const one = statement('SELECT name FROM users WHERE id = $1')
  test('looks for the text, whatever its case and blanks around it', () => {
    expect(passes({ text: ' From USERS ', kind: null }, one)).toBe(true)
    expect(passes({ text: 'orders', kind: null }, one)).toBe(false)
  })
  test('asks for the kind too', () => {
    expect(passes({ text: 'users', kind: 'read' }, one)).toBe(true)
    expect(passes({ text: 'users', kind: 'write' }, one)).toBe(false)
  })
})

describe('the order of statements', () => {
  const a = statement('a', { totalMs: 5, calls: 9, maxMs: null })
  const b = statement('b', { totalMs: 7, calls: 9, maxMs: 3 })
  const c = statement('c', { totalMs: 6, calls: 1, maxMs: 4 })
  test('is by total time where nothing else is known', () => {
    expect(texts(sorted([a, b, c], { by: 'total', direction: 'desc' }))).toEqual(['b', 'c', 'a'])
    expect(texts(sorted([a, b, c], { by: 'constructor', direction: 'asc' }))).toEqual(['a', 'c', 'b'])
  })
  test('puts the more costly of equal ones first', () => {
    expect(texts(sorted([a, b, c], { by: 'calls', direction: 'desc' }))).toEqual(['b', 'a', 'c'])
    expect(texts(sorted([a, b, c], { by: 'calls', direction: 'asc' }))).toEqual(['c', 'b', 'a'])
  })
  test('puts what has no such figure last, either way', () => {
    expect(texts(sorted([a, b, c], { by: 'max', direction: 'desc' }))).toEqual(['c', 'b', 'a'])
    expect(texts(sorted([a, b, c], { by: 'max', direction: 'asc' }))).toEqual(['b', 'c', 'a'])
  })
})
