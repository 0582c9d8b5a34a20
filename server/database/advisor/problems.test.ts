import { Client } from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createDatabase, needsPostgres } from '@/db/testing/shared'
import { findIndexProblems, type IndexProblem } from '.'

describe('what is wrong with the indexes that are there', () => {
  needsPostgres()
  let client: Client
  let url: string
  let drop: () => Promise<void>

  beforeEach(async () => {
    const database = await createDatabase()
    url = database.url
    drop = database.drop
    client = new Client({ connectionString: url })
    await client.connect()
  })
  afterEach(async () => {
    await client.end()
    await drop()
  })

  const found = async (kind: IndexProblem['kind']): Promise<IndexProblem[]> =>
    (await findIndexProblems(client)).filter((problem) => problem.kind === kind)

  it('finds an index that another one repeats or begins with, and can take the removal back', async () => {
    await client.query(`
      CREATE TABLE t (a int, b int, c text);
      CREATE INDEX t_a ON t (a);
      CREATE INDEX t_a_b ON t (a, b);
      CREATE INDEX t_b_one ON t (b);
      CREATE INDEX t_b_two ON t (b);`)
    const [duplicate] = await found('duplicate')
    expect(duplicate).toMatchObject({
      place: 'public.t',
      index: 't_b_one',
      undo: 'CREATE INDEX CONCURRENTLY t_b_one ON public.t USING btree (b)',
    })
    const [redundant] = await found('redundant')
    expect(redundant).toMatchObject({ index: 't_a', ddl: 'DROP INDEX CONCURRENTLY public.t_a' })
    for (const problem of [duplicate, redundant]) await client.query(problem?.ddl as string)
    expect([...(await found('duplicate')), ...(await found('redundant'))]).toEqual([])
    await client.query(redundant?.undo as string)
    expect(await found('redundant')).toHaveLength(1)
  })

  it('takes indexes for different where order, operators, collation, condition, method or a rule differ', async () => {
    await client.query(`
      CREATE TABLE t (a int, b int, c text PRIMARY KEY, d text UNIQUE);
      CREATE INDEX ON t (a);
      CREATE INDEX ON t (a DESC, b);
      CREATE INDEX ON t (b);
      CREATE INDEX ON t (b) WHERE a > 0;
      CREATE INDEX ON t USING hash (b);
      CREATE INDEX ON t (c text_pattern_ops, a);
      CREATE INDEX ON t (c COLLATE "und-x-icu", a);
      CREATE INDEX ON t (d, a);
      CREATE UNIQUE INDEX ON t (a, b);`)
    // Only the plain index on a: the unique one begins with it.
    expect([...(await found('duplicate')), ...(await found('redundant'))].map(({ index }) => index)).toEqual([
      't_a_idx',
    ])
  })

  it('finds what a failed concurrent build left, and mends it', async () => {
    await client.query('CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1);')
    await expect(client.query('CREATE UNIQUE INDEX CONCURRENTLY t_a ON t (a)')).rejects.toThrow(/unique/)
    await client.query('DELETE FROM t')
    const [invalid] = await found('invalid')
    expect(invalid).toMatchObject({ index: 't_a', ddl: 'REINDEX INDEX CONCURRENTLY public.t_a' })
    await client.query(invalid?.ddl as string)
    expect(await found('invalid')).toEqual([])
  })

  it('finds an index that nobody reads once the counters are old enough, but no rule and no used one', async () => {
    await client.query(`
      CREATE TABLE t (a int PRIMARY KEY, b int, c int);
      CREATE INDEX t_b ON t (b); CREATE INDEX t_c ON t (c);
      INSERT INTO t SELECT i, i, i FROM generate_series(1, 3000) i; ANALYZE t;
      SELECT pg_stat_force_next_flush(); SET enable_seqscan = off;`)
    await client.query('SELECT * FROM t WHERE c = 5')
    await client.query('SELECT pg_stat_force_next_flush()')
    await expect
      .poll(async () =>
        (await findIndexProblems(client, { unusedAfterDays: 0 }))
          .filter(({ kind }) => kind === 'unused')
          .map(({ index }) => index),
      )
      .toEqual(['t_b'])
    expect(await found('unused')).toEqual([])
  })

  it('finds a foreign key without an index, and accepts one in any order of its columns', async () => {
    await client.query(`
      CREATE TABLE p (a int, b int, PRIMARY KEY (a, b));
      CREATE TABLE c (id int, a int, b int, pad text, FOREIGN KEY (a, b) REFERENCES p);
      CREATE TABLE small (a int, b int, FOREIGN KEY (a, b) REFERENCES p);
      INSERT INTO p SELECT i, i FROM generate_series(1, 10) i;
      INSERT INTO c SELECT i, 1 + i % 10, 1 + i % 10, repeat('x', 200) FROM generate_series(1, 2000) i;
      CREATE INDEX ON c (a);`)
    const [missing, ...more] = await found('foreign-key')
    expect(more).toEqual([])
    expect(missing).toMatchObject({
      place: 'public.c',
      ddl: 'CREATE INDEX CONCURRENTLY c_a_b_fkey_idx ON public.c (a, b)',
    })
    await client.query('CREATE INDEX ON c (b, a)')
    expect(await found('foreign-key')).toEqual([])
  })

  it('finds statistics that are missing or old', async () => {
    await client.query(`
      CREATE TABLE never (a int); CREATE TABLE old (a int);
      ALTER TABLE never SET (autovacuum_enabled = off); ALTER TABLE old SET (autovacuum_enabled = off);
      INSERT INTO never SELECT generate_series(1, 5000);
      INSERT INTO old SELECT generate_series(1, 5000); ANALYZE old;
      UPDATE old SET a = a + 1;
      SELECT pg_stat_force_next_flush();`)
    await expect
      .poll(async () => (await found('stale-statistics')).map(({ ddl }) => ddl))
      .toEqual(['ANALYZE public.never', 'ANALYZE public.old'])
    await client.query('ANALYZE never; ANALYZE old; SELECT pg_stat_force_next_flush();')
    await expect.poll(async () => await found('stale-statistics')).toEqual([])
  })

  it('finds a transaction that stays open, and says who has it', async () => {
    const idle = new Client({ connectionString: url, application_name: 'report' })
    await idle.connect()
    try {
      await idle.query('BEGIN; SELECT 1')
      const { rows } = await client.query(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'report' AND datname = current_database()",
      )
      const open = (await findIndexProblems(client, { longTransactionSeconds: 0 })).filter(
        ({ kind }) => kind === 'long-transaction',
      )
      expect(open).toHaveLength(1)
      expect(open[0]?.place).toBe(`process ${rows[0].pid} of ${client.user} (report)`)
      expect(open[0]?.because).toContain('idle in transaction')
      expect(await found('long-transaction')).toEqual([])
    } finally {
      await idle.end()
    }
  })
})
