import { describe, expect, it } from 'vitest'
import { readStatement } from './statement'

/** What a statement asks, as short lines: 'alias.column kind'. */
function asked(sql: string): string[] {
  return readStatement(sql).queries.flatMap(({ predicates }) =>
    predicates.map(
      ({ column, kind, expression }) =>
        `${column.alias ? `${column.alias}.` : ''}${column.name} ${kind}${expression ? ` ${expression}` : ''}`,
    ),
  )
}
const tables = (sql: string): string[] =>
  readStatement(sql).queries.flatMap(({ sources }) =>
    sources.map(
      ({ schema, table, alias }) =>
        `${schema ? `${schema}.` : ''}${table}${alias === table ? '' : ` ${alias}`}`,
    ),
  )

describe('reading a statement', () => {
  it('finds tables behind schemas, quotes and aliases', () => {
    expect(
      tables('SELECT 1 FROM "My Shop"."Orders" AS "O", ONLY items i JOIN public.people ON true'),
    ).toEqual(['My Shop.Orders O', 'items i', 'public.people'])
    expect(tables('UPDATE a SET x = b.y FROM b WHERE a.id = b.id')).toEqual(['a', 'b'])
    expect(tables('DELETE FROM a AS z USING b WHERE z.id = b.id')).toEqual(['a z', 'b'])
    expect(tables('SELECT 1 FROM generate_series(1, 10) g')).toEqual([])
  })

  it('does not take the names of WITH for tables', () => {
    expect(
      tables(
        'WITH RECURSIVE x AS (SELECT a FROM t WHERE b = 1), y AS (SELECT 1) SELECT * FROM x JOIN y ON true',
      ),
    ).toEqual(['t'])
  })

  it('tells what is asked of each column', () => {
    expect(
      asked(`SELECT 1 FROM t WHERE a = $1 AND 5 < b AND c BETWEEN 1 AND 2 AND d IS NULL AND e IS NOT NULL AND NOT f AND g
             AND h IN (1, 2) AND i = ANY($2) AND j LIKE 'x%' AND k LIKE '%x' AND (l = 1 OR l = 2) AND m = true AND n <> 3`),
    ).toEqual([
      'a equal',
      'b range',
      'c range',
      'd null',
      'e notNull',
      'f false',
      'g true',
      'h in',
      'i in',
      'j prefix',
      'k other',
      'l in',
      'm true',
      'n other',
    ])
  })

  it('reads joins by ON and USING on both sides, and comparisons of rows', () => {
    expect(asked('SELECT 1 FROM a JOIN b ON b.a_id = a.id')).toEqual(['b.a_id join', 'a.id join'])
    expect(asked('SELECT 1 FROM a JOIN b USING (k)')).toEqual(['a.k join', 'b.k join'])
    expect(asked('SELECT 1 FROM t WHERE (x, y) > ($1, $2)')).toEqual(['x range'])
    expect(asked('SELECT 1 FROM t WHERE x IN (SELECT y FROM u WHERE z = 1)')).toEqual(['x join', 'z equal'])
  })

  it('keeps an expression, without aliases, and does not mistake casts and intervals for columns', () => {
    expect(
      asked("SELECT 1 FROM t q WHERE lower(q.a) = $1 AND b > now() - interval '1 day' AND c = '5'::int"),
    ).toEqual(['q.a equal lower(a)', 'b range', 'c equal'])
    expect(asked('SELECT 1 FROM t WHERE a = b + 1 OR c = 2')).toEqual(['a other', 'b other', 'c other'])
  })

  it('reads order, limit and groups, and stops at what no plain index orders', () => {
    const [query] = readStatement(
      'SELECT a, count(*) FROM t GROUP BY a, t.b ORDER BY a DESC, lower(b), c LIMIT 5',
    ).queries
    expect(query?.order).toEqual([{ column: { name: 'a' }, descending: true }])
    expect(query?.group).toEqual([{ name: 'a' }, { alias: 't', name: 'b' }])
    expect(query?.limited).toBe(true)
    expect(readStatement('SELECT a FROM t ORDER BY a NULLS FIRST').queries[0]?.order).toEqual([])
    expect(readStatement('SELECT max(a) AS last FROM t WHERE b = 1').queries[0]).toMatchObject({
      limited: true,
    })
  })

  it('reads on through whatever it does not know', () => {
    for (const sql of [
      '',
      ';',
      'SELECT',
      'SELECT FROM WHERE',
      ')((',
      "SELECT 'open",
      'VACUUM t',
      'EXPLAIN SELECT 1 FROM',
    ]) {
      expect(() => readStatement(sql)).not.toThrow()
    }
  })
})
