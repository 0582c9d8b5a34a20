import { describe, expect, it } from 'vitest'
import { nameOf, StatementBook } from './pipeline-statement'

describe('what a text of a statement tells', () => {
  const book = new StatementBook({ ms: 0 })

  it.each([
    ['SELECT * FROM t WHERE id = $1', 'read'],
    ['  -- why\n /* and how */ (select 1)', 'read'],
    ['WITH a AS (SELECT 1) SELECT * FROM a', 'read'],
    ['VALUES (1);', 'read'],
    ['SELECT * FROM t WHERE id = $1 FOR UPDATE', 'write'],
    ['select * from t for no key update skip locked', 'write'],
    ['SELECT * FROM t FOR KEY SHARE', 'write'],
    ['WITH gone AS (DELETE FROM t RETURNING id) SELECT * FROM gone', 'write'],
    ['SELECT a INTO b FROM c', 'write'],
    ['insert into t values ($1)', 'write'],
    ['BEGIN', 'alone'],
    ['SELECT 1; BEGIN', 'alone'],
    ['LISTEN news', 'alone'],
    ['COPY t FROM STDIN', 'alone'],
    ["SELECT set_config('a.b', 'c', false)", 'alone'],
    ['SELECT pg_advisory_lock(1)', 'alone'],
    ['CREATE INDEX CONCURRENTLY i ON t (a)', 'alone'],
    ['', 'alone'],
  ])('%s is %s', (text, kind) => {
    expect(book.of(text).kind).toBe(kind)
  })
})

describe('what is learned about a statement', () => {
  const asked = (book: StatementBook, text: string, times: number[]) => {
    const statement = book.of(text)
    for (const ms of times) book.learn(statement, ms, false)
    return statement
  }
  const quick = (count: number) => Array<number>(count).fill(0.3)

  it('gives one that is not known a connection of its own, and shares it afterwards', () => {
    const book = new StatementBook({ ms: 0 })
    expect(book.of('SELECT 1').alone).toBe(true)
    expect(asked(book, 'SELECT 1', quick(1)).alone).toBe(false)
  })

  it('knows one that is always slow after its first answer', () => {
    const book = new StatementBook({ ms: 0 })
    asked(book, 'SELECT 1', quick(500))
    expect(asked(book, 'SELECT slow', [50]).alone).toBe(true)
    expect(asked(book, 'SELECT slower than others', [12]).alone).toBe(true)
  })

  it('knows one of which 1 % is slow, and forgives one stray answer', () => {
    const book = new StatementBook({ ms: 0 })
    const rounds = Array.from({ length: 10 }, () => [...quick(99), 50]).flat()
    expect(asked(book, 'SELECT either', [...rounds, ...quick(90)]).alone).toBe(true)
    expect(asked(book, 'SELECT stray', [...quick(99), 30, ...quick(99)]).alone).toBe(false)
  })

  it('blames no statement for what the whole machine suffers from', () => {
    const book = new StatementBook({ ms: 60 })
    const late = Array.from({ length: 20 }, () => [...quick(20), 90]).flat()
    expect(asked(book, 'SELECT 1', late).alone).toBe(false)
  })

  it('names a statement from its second use on, always the same', () => {
    const [one, other] = [new StatementBook({ ms: 0 }), new StatementBook({ ms: 0 })]
    expect(nameOf(one.of('SELECT 1'))).toBeUndefined()
    one.of('SELECT 1').sent++
    other.of('SELECT 1').sent++
    expect(nameOf(one.of('SELECT 1'))).toMatch(/^holdfast_[\w-]{24}$/)
    expect(nameOf(other.of('SELECT 1'))).toBe(nameOf(one.of('SELECT 1')))
  })

  it('remembers the texts that are used, within a bound', () => {
    const book = new StatementBook({ ms: 0 }, 10)
    asked(book, 'SELECT used', [1])
    for (let n = 0; n < 100; n++) {
      asked(book, `SELECT ${n}`, [1])
      book.of('SELECT used')
    }
    expect(book.of('SELECT used').calls).toBe(1)
    expect(book.of('SELECT 3').calls).toBe(0)
    expect(book.list().length).toBeLessThanOrEqual(20)
  })
})
