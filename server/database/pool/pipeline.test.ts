import { describe, expect, it } from 'vitest'
import { openPool } from '@/db/testing/pools'
import { waitUntil } from '@/db/testing/processes'
import { needsPostgres } from '@/db/testing/shared'
import { poolsForTests, queryOf } from './pool.testing'

const PID = 'SELECT pg_backend_pid() AS pid, $1::int AS n'
const range = (count: number) => Array.from({ length: count }, (_, n) => n)

describe('statements that share connections', () => {
  needsPostgres()
  const { open, place } = poolsForTests()

  it('puts reads of one moment on one connection and answers each with its own rows', async () => {
    const pool = open({ max: 4 })
    const query = queryOf(pool)
    await query(PID, [0])
    const used: number[] = []
    // A first answer that came late on a busy machine makes the pool give the statement connections of its own,
    // until some hundred quick ones have made up for it.
    for (let attempt = 0; attempt < 40 && !used.includes(1); attempt++) {
      const answers = await Promise.all(range(30).map((n) => query<{ pid: number; n: number }>(PID, [n])))
      expect(answers.map(({ rows }) => rows[0]?.n)).toEqual(range(30))
      used.push(new Set(answers.map(({ rows }) => rows[0]?.pid)).size)
    }
    expect(used).toContain(1)
  })

  it('lets a failing statement fail alone', async () => {
    const query = queryOf(open({ max: 1 }))
    const DIVIDE = 'SELECT 10 / $1::int AS n'
    await query(DIVIDE, [1])
    const outcomes = await Promise.allSettled([1, 0, 2, 0, 5].map((by) => query<{ n: number }>(DIVIDE, [by])))
    expect(
      outcomes.map((outcome) =>
        outcome.status === 'fulfilled' ? outcome.value.rows[0]?.n : outcome.reason.code,
      ),
    ).toEqual([10, '22012', 5, '22012', 2])
  })

  it('answers as pg does, unprepared, prepared and when the row description is known', async () => {
    const query = queryOf(open({ max: 1 }))
    const theirs = openPool({ ...place(), max: 1 })
    await query(
      'CREATE TABLE shapes (id int PRIMARY KEY, made timestamptz, note text, bits bytea, doc jsonb)',
    )
    const asked: [unknown, unknown[]?][] = [
      [
        'INSERT INTO shapes VALUES ($1, $2, $3, $4, $5)',
        [1, new Date(0), "a'b", Buffer.from('x'), { a: [1] }],
      ],
      ['SELECT * FROM shapes WHERE id = $1', [1]],
      ['SELECT * FROM shapes WHERE id = ANY($1)', [[1, 2]]],
      ['SELECT 1 AS a, 2 AS a'],
      [{ text: 'SELECT id, made FROM shapes', rowMode: 'array' }],
      [
        {
          text: 'SELECT id, made FROM shapes',
          types: { getTypeParser: () => (text: string) => `<${text}>` },
        },
      ],
      ['SELECT id FROM shapes WHERE false'],
      ['UPDATE shapes SET note = $1 WHERE id = $2 RETURNING note', [null, 1]],
      ['DELETE FROM shapes', []],
    ]
    for (const round of [1, 2, 3, 4]) {
      for (const [statement, values] of asked) {
        const mine = await query(statement, values)
        if (!/^(INSERT|UPDATE|DELETE)/.test(String(statement))) {
          const plain = (await theirs.query(statement as string, values)) as unknown as typeof mine
          expect({ round, ...pick(mine) }).toEqual({ round, ...pick(plain) })
        } else expect(mine).toMatchObject({ rowCount: 1, command: String(statement).slice(0, 6) })
      }
    }
    await theirs.end()
  })

  it('gives a statement that was slow a connection of its own', async () => {
    const query = queryOf(open({ max: 3 }))
    const SLOW = 'SELECT pg_sleep(1.5)'
    await query(SLOW)
    await query(PID, [0])
    const order: string[] = []
    const slow = query(SLOW).then(() => order.push('slow'))
    await Promise.all(range(20).map((n) => query(PID, [n]).then(() => order.push('quick'))))
    await slow
    expect(order.at(-1)).toBe('slow')
  })

  it('never lets reads wait behind a write that waits for a lock', async () => {
    const pool = open({ max: 3 })
    const query = queryOf(pool)
    await query('CREATE TABLE counters (id int PRIMARY KEY, n int)')
    await query('INSERT INTO counters VALUES (1, 0)')
    const ADD = 'UPDATE counters SET n = n + $1 WHERE id = 1'
    const GET = 'SELECT n FROM counters WHERE id = $1'
    await query(ADD, [1])
    await query(GET, [1])
    const holder = await pool.connect()
    await queryOf(holder)('BEGIN')
    await queryOf(holder)(ADD, [1])
    const waiting = query(ADD, [1])
    const seen = await Promise.all(range(40).map(() => query<{ n: number }>(GET, [1])))
    expect(seen.every(({ rows }) => rows[0]?.n === 1)).toBe(true)
    await queryOf(holder)('COMMIT')
    holder.release()
    await waiting
    expect((await query<{ n: number }>(GET, [1])).rows[0]?.n).toBe(3)
  })

  it('keeps what belongs to a session away from shared connections', async () => {
    const pool = open({ max: 1 })
    const query = queryOf(pool)
    await expect(query('SELECT 1; BEGIN')).resolves.toBeDefined()
    const { rows } = await query<{ inside: boolean }>(
      'SELECT statement_timestamp() <> transaction_timestamp() AS inside',
    )
    expect(rows[0]?.inside).toBe(false)
    await expect(query({ submit() {} })).rejects.toThrow('connect()')
  })

  it('serves a borrower although statements never stop coming', async () => {
    const pool = open({ max: 1 })
    const query = queryOf(pool)
    await query(PID, [0])
    let stop = false
    const callers = range(8).map(async (n) => {
      while (!stop) await query(PID, [n])
    })
    await waitUntil('the callers', async () => pool.metrics.queries > 50)
    const connection = await pool.connect()
    expect((await queryOf(connection)(PID, [7])).rows).toMatchObject([{ n: 7 }])
    connection.release()
    stop = true
    await Promise.all(callers)
  })
})

function pick({
  rows,
  rowCount,
  command,
  fields,
}: Record<'rows' | 'rowCount' | 'command' | 'fields', unknown>) {
  return { rows, rowCount, command, fields }
}
