import { describe, expect, it } from 'vitest'
import type { Expr } from './ast'
import { openCursor } from './cursor'
import { parseExpression } from './parse'
import { parseSelect } from './parse-select'
import { parseTrigger } from './parse-trigger'

/** With parentheses around everything that has parts. */
function shown(expr: Expr): string {
  switch (expr.kind) {
    case 'number':
    case 'text':
      return expr.text
    case 'name':
      return expr.name
    case 'null':
      return 'NULL'
    case 'unary':
      return `(${expr.operator} ${shown(expr.operand)})`
    case 'binary':
      return `(${shown(expr.left)} ${expr.operator} ${shown(expr.right)})`
    case 'collate':
      return `(${shown(expr.operand)} COLLATE ${expr.collation})`
    case 'between':
      return `(${shown(expr.operand)} BETWEEN ${shown(expr.low)} ${shown(expr.high)})`
    case 'in':
      return `(${shown(expr.operand)} IN ${expr.items.map(shown)})`
    case 'call':
      return `${expr.name}(${expr.args.map(shown)})`
    default:
      return expr.kind
  }
}

describe('an expression is read', () => {
  it.each([
    ['a OR b AND NOT c = d', '(a OR (b AND (NOT (c = d))))'],
    ['a + b * c || d', '(a + (b * (c || d)))'],
    ['a = b < c', '(a = (b < c))'],
    ['a BETWEEN b AND c AND d', '((a BETWEEN b c) AND d)'],
    ['-a * b COLLATE nocase', '((- a) * (b COLLATE nocase))'],
    ['a IS NOT NULL = b', '((a IS NOT NULL) = b)'],
    ['a NOTNULL OR a ISNULL', '((a IS NOT NULL) OR (a IS NULL))'],
    ['a IS NOT DISTINCT FROM b', '(a IS b)'],
    ['x IN (1, 2) AND "y" == [z]', '((x IN 1,2) AND (y = z))'],
    ['COUNT(*) > f(a, b)', '(count() > f(a,b))'],
  ])('by SQLite’s precedence: %s', (sql, expected) => {
    expect(shown(parseExpression(sql))).toBe(expected)
  })
  it.each(['a +', '(a', 'a b', 'a -> 1', '?1', 'a OVER (b)', 'f(a) FILTER (WHERE b)', '0x1F', ''])(
    'only if all of it is understood: %s',
    (sql) => {
      expect(() => parseExpression(sql)).toThrow()
    },
  )
})

describe('a SELECT is read', () => {
  const select = (sql: string) => parseSelect(openCursor(sql))
  it('with its joins, aliases, groups and orders', () => {
    const read =
      select(`SELECT DISTINCT a.x AS "one", count(*) n, b.* FROM main.t AS a LEFT OUTER JOIN u b ON a.id = b.id, w USING (z)
      WHERE x > 1 GROUP BY 1, a.y HAVING n > 2 UNION ALL SELECT 1, 2, 3 ORDER BY 1 DESC NULLS FIRST, n LIMIT 5, 10`)
    expect(read).toMatchObject({
      distinct: true,
      groupBy: [{}, {}],
      limit: { text: '10' },
      offset: { text: '5' },
    })
    expect(read.columns.map((column) => (column.star ? `${column.table}.*` : column.alias))).toEqual([
      'one',
      'n',
      'b.*',
    ])
    expect(read.from.map(({ table, alias, join }) => [table, alias, join])).toEqual([
      ['t', 'a', 'CROSS'],
      ['u', 'b', 'LEFT'],
      ['w', 'w', 'CROSS'],
    ])
    expect(read.from[2]?.using).toEqual(['z'])
    expect(read.compound.map(({ operator }) => operator)).toEqual(['UNION ALL'])
    expect(read.orderBy).toMatchObject([{ descending: true, nulls: 'FIRST' }, { descending: false }])
  })
  it.each([
    'WITH RECURSIVE n(i) AS (SELECT 1) SELECT i FROM n',
    'SELECT a FROM t NATURAL JOIN u',
    'SELECT value FROM json_each(x)',
    'SELECT a FROM other.t',
  ])('only if it is plain: %s', (sql) => {
    expect(() => select(sql)).toThrow()
  })
})

describe('a trigger is read', () => {
  it('with time, event, columns, condition and statements', () => {
    const trigger =
      parseTrigger(`CREATE TRIGGER "a b" AFTER UPDATE OF x, "y z" ON main.t FOR EACH ROW WHEN NEW.x > OLD.x BEGIN
      INSERT INTO log (a) VALUES (NEW.x), (2); UPDATE t SET x = 1, y = y + 1 WHERE id = NEW.id; DELETE FROM u;
      SELECT RAISE(ABORT, 'no; END') WHERE NEW.x < 0; END`)
    expect(trigger).toMatchObject({
      time: 'AFTER',
      event: 'UPDATE',
      of: ['x', 'y z'],
      table: 't',
      when: { operator: '>' },
    })
    expect(trigger.body.map(({ kind }) => kind)).toEqual(['insert', 'update', 'delete', 'select'])
  })
  it('as BEFORE where it says nothing', () => {
    expect(parseTrigger('CREATE TRIGGER t DELETE ON u BEGIN DELETE FROM v; END').time).toBe('BEFORE')
  })
})
