import { describe, expect, it } from 'vitest'
import { normaliseStatement, withCasts } from './normalise'

const text = (sql: string) => normaliseStatement(sql).text

describe('normalising a statement', () => {
  it('replaces literals by parameters and keeps them aside', () => {
    expect(
      normaliseStatement("SELECT * FROM t WHERE a = 'x''y' AND b = 1.5e3 AND c = -7 AND d = 0x1F"),
    ).toEqual({
      text: 'SELECT * FROM t WHERE a = $1 AND b = $2 AND c = $3 AND d = $4',
      parameters: 4,
      literals: ["'x''y'", '1.5e3', '-7', '0x1F'],
    })
  })

  it('gives the same text whatever the case, the blanks and the comments', () => {
    const one = text('select  Id\nfrom T -- which table\n where /* a /* nested */ comment */ A = 1;')
    expect(one).toBe('SELECT id FROM t WHERE a = $1')
    expect(text('SELECT id FROM t WHERE a=2')).toBe(one)
  })

  it('makes lists of any length one', () => {
    expect(text('SELECT 1 FROM t WHERE a IN (1, 2, 3) AND b IN ($1, $2)')).toBe(
      'SELECT $1 FROM t WHERE a IN ($2) AND b IN ($3)',
    )
    expect(text("SELECT a FROM t WHERE a IN ('x')")).toBe(text("SELECT a FROM t WHERE a IN ('x', 'y')"))
    expect(text('SELECT a FROM t WHERE a IN (b, 2)')).toBe('SELECT a FROM t WHERE a IN (b, $1)')
  })

  it('keeps quoted identifiers as they are written', () => {
    expect(text('SELECT "Id", "order", "plain" FROM "My ""Table" WHERE `b c` = 1')).toBe(
      'SELECT "Id", "order", plain FROM "My ""Table" WHERE "b c" = $1',
    )
  })

  it('knows dollar quotes, escape strings and casts', () => {
    expect(text("SELECT $$it's$$, $a$ $$ $a$, E'\\'', '5'::int, a::text FROM t")).toBe(
      'SELECT $1, $2, $3, $4::int, a::text FROM t',
    )
  })

  it('turns typed literals into casts, so that the text can still be prepared', () => {
    expect(text("SELECT a FROM t WHERE d > now() - interval '1 day' AND e = date '2026-01-01'")).toBe(
      'SELECT a FROM t WHERE d > now() - $1::interval AND e = $2::date',
    )
  })

  it('mends what pg_stat_statements makes of typed literals', () => {
    expect(withCasts('SELECT a FROM t WHERE d > now() - interval $2 AND e = DATE $1 AND f = $3')).toBe(
      'SELECT a FROM t WHERE d > now() - $2::interval AND e = $1::date AND f = $3',
    )
    expect(text('SELECT a FROM t WHERE d > now() - interval $1')).toBe(
      'SELECT a FROM t WHERE d > now() - $1::interval',
    )
  })

  it('numbers parameters in their order, the same one once', () => {
    expect(text('SELECT a FROM t WHERE a = $2 AND b = $1 AND c = $2')).toBe(
      'SELECT a FROM t WHERE a = $1 AND b = $2 AND c = $1',
    )
    expect(text('SELECT a FROM t WHERE a = ? AND b = ? AND c = :name AND d = :name')).toBe(
      'SELECT a FROM t WHERE a = $1 AND b = $2 AND c = $3 AND d = $3',
    )
  })

  it('leaves positions in ORDER BY and GROUP BY, and null and truth', () => {
    expect(
      text('SELECT a, b FROM t WHERE a IS NULL AND c = true GROUP BY 1, 2 ORDER BY 2 DESC, 1 LIMIT 5'),
    ).toBe('SELECT a, b FROM t WHERE a IS NULL AND c = TRUE GROUP BY 1, 2 ORDER BY 2 DESC, 1 LIMIT $1')
  })

  it('tells subtraction from a sign, and a question mark from a parameter', () => {
    expect(text('SELECT a-1, a - 1 FROM t WHERE b = -1 AND c - 1 > 0')).toBe(
      'SELECT a - $1, a - $2 FROM t WHERE b = $3 AND c - $4 > $5',
    )
    expect(text("SELECT a FROM t WHERE data ? 'k' AND data ->> 'x' = ?")).toBe(
      'SELECT a FROM t WHERE data ? $1 AND data ->> $2 = $3',
    )
  })

  it('reads on where a quote or a comment never ends', () => {
    expect(text("SELECT a FROM t WHERE b = 'open")).toContain('SELECT a FROM t WHERE b = ')
    expect(text('SELECT 1 /* open')).toBe('SELECT $1')
  })
})
