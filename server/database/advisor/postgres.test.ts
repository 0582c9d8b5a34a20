import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createDatabase, needsPostgres } from '@/db/testing/shared'
import { adviseIndexes, describeIndex, type IndexShape, type Verdict } from '.'

const SCHEMA = `
  CREATE TABLE people (id int PRIMARY KEY, email text NOT NULL UNIQUE, name text COLLATE "und-x-icu" NOT NULL,
                       country text NOT NULL, vip boolean NOT NULL, deleted_at timestamptz);
  CREATE TABLE orders (id int PRIMARY KEY, person_id int NOT NULL, status text NOT NULL, total int NOT NULL,
                       shelf int NOT NULL, lane int NOT NULL, created_at timestamptz NOT NULL, note text NOT NULL);
  CREATE TABLE kinds (id int PRIMARY KEY, name text NOT NULL);
  CREATE TABLE fresh (id int, person_id int);
  CREATE TABLE devices (id int PRIMARY KEY, label text, facts jsonb NOT NULL, bought timestamptz NOT NULL);
  CREATE TABLE owned (person_id int, device_id int, PRIMARY KEY (person_id, device_id));
  INSERT INTO people SELECT i, 'p' || i || '@example.org', md5(i::text), 'C' || i % 5, i % 400 = 0,
                            CASE WHEN i % 500 = 0 THEN now() - i * interval '1 minute' END
                       FROM generate_series(1, 20000) i;
  INSERT INTO orders SELECT i, 1 + (i * 7919) % 10000,
                            CASE WHEN i % 300 = 0 THEN 'open' ELSE 'closed' END, (i * 31) % 5000, i % 12, (i * 17) % 15,
                            now() - i * interval '1 minute', repeat('x', 60)
                       FROM generate_series(1, 60000) i;
  INSERT INTO kinds SELECT i, 'kind ' || i FROM generate_series(1, 40) i;
  INSERT INTO devices SELECT i, CASE WHEN i % 3 > 0 THEN 'No. ' || i || '/7' END,
                             jsonb_build_object('serial', md5(i::text), 'kind', i % 4), now() - i * interval '1 hour'
                        FROM generate_series(1, 40000) i;
  INSERT INTO owned SELECT i, 1 + (i * 31 + n * 17) % 600 FROM generate_series(1, 20000) i, generate_series(1, 3) n
    ON CONFLICT DO NOTHING;
  CREATE INDEX orders_shelf_created_at ON orders (shelf, created_at);
  ANALYZE people, orders, kinds, devices, owned;`

describe('index advice on PostgreSQL', () => {
  needsPostgres()
  let client: Client
  let drop: () => Promise<void>
  let methods: ('statistics' | undefined)[] = ['statistics']

  beforeAll(async () => {
    const database = await createDatabase()
    drop = database.drop
    client = new Client({ connectionString: database.url })
    await client.connect()
    await client.query(SCHEMA)
    await client.query('VACUUM orders, owned')
    const { rows } = await client.query("SELECT 1 FROM pg_available_extensions WHERE name = 'hypopg'")
    if (rows.length > 0) {
      await client.query('CREATE EXTENSION hypopg')
      methods = ['statistics', undefined]
    }
  })
  afterAll(async () => {
    await client?.end()
    await drop?.()
  })

  /** The verdict, which must be the same by statistics and, where it is installed, by HypoPG. */
  async function verdictOn(text: string): Promise<Verdict> {
    const verdicts: Verdict[] = []
    for (const method of methods) {
      const advised = await adviseIndexes(client, [{ text, calls: 100, totalMilliseconds: 0 }], { method })
      verdicts.push(advised.verdicts[0] as Verdict)
    }
    for (const verdict of verdicts) expect(line(verdict)).toBe(line(verdicts[0] as Verdict))
    return verdicts[0] as Verdict
  }
  const line = ({ index, none }: Verdict): string => (index ? describeIndex(index) : `none: ${none}`)
  const adviceOn = async (text: string): Promise<string> => line(await verdictOn(text))

  it('takes an equality', async () => {
    expect(await adviceOn('SELECT * FROM orders WHERE person_id = $1')).toBe('orders (person_id)')
  })

  it('takes lists, arrays and alternatives as equalities', async () => {
    expect(await adviceOn('SELECT * FROM orders WHERE person_id IN ($1, $2)')).toBe('orders (person_id)')
    expect(await adviceOn('SELECT * FROM orders WHERE person_id = ANY($1::int[])')).toBe('orders (person_id)')
    expect(await adviceOn('SELECT * FROM orders WHERE person_id = $1 OR person_id = $2')).toBe(
      'orders (person_id)',
    )
  })

  it('reads what pg_stat_statements keeps of a statement', async () => {
    expect(
      await adviceOn('SELECT * FROM orders WHERE person_id = $1 AND created_at > now() - interval $2'),
    ).toBe('orders (person_id, created_at)')
  })

  it('takes a range that leaves little', async () => {
    expect(await adviceOn("SELECT * FROM orders WHERE created_at > now() - interval '1 hour'")).toBe(
      'orders (created_at)',
    )
  })

  it('takes the order of a limited query, and the equality before it', async () => {
    expect(await adviceOn('SELECT * FROM orders ORDER BY total DESC LIMIT 10')).toBe('orders (total)')
    expect(await adviceOn('SELECT max(total) FROM orders')).toBe('orders (total)')
    expect(await adviceOn('SELECT * FROM orders WHERE status = $1 ORDER BY total LIMIT 5')).toBe(
      'orders (status, total)',
    )
  })

  it('leaves out of an order what only sorts the few rows that are equal before it', async () => {
    expect(await adviceOn('SELECT * FROM orders ORDER BY created_at DESC, id DESC LIMIT 10')).toBe(
      'orders (created_at)',
    )
    expect(await adviceOn('SELECT * FROM orders ORDER BY lane, id LIMIT 10')).toBe('orders (lane, id)')
  })

  it('writes DESC where two directions are mixed', async () => {
    expect(await adviceOn('SELECT * FROM orders ORDER BY note, total DESC LIMIT 10')).toBe(
      'orders (note, total DESC)',
    )
  })

  it('finds the column of a join, behind an alias', async () => {
    expect(
      await adviceOn(
        'SELECT o.total FROM people AS p JOIN orders o ON o.person_id = p.id WHERE p.email = $1',
      ),
    ).toBe('orders (person_id)')
  })

  it('looks into subqueries and WITH', async () => {
    expect(
      await adviceOn(
        'SELECT p.id FROM people p WHERE p.id = $1 AND EXISTS (SELECT 1 FROM orders o WHERE o.person_id = p.id)',
      ),
    ).toBe('orders (person_id)')
    expect(
      await adviceOn('WITH mine AS (SELECT * FROM orders WHERE person_id = $1) SELECT sum(total) FROM mine'),
    ).toBe('orders (person_id)')
  })

  it('serves changes of rows like reads', async () => {
    expect(await adviceOn('UPDATE orders SET total = $1 WHERE person_id = $2')).toBe('orders (person_id)')
    expect(await adviceOn('DELETE FROM orders WHERE person_id = $1')).toBe('orders (person_id)')
  })

  it('makes a partial index for a rare constant, keyed by what else is asked', async () => {
    expect(await adviceOn("SELECT * FROM orders WHERE status = 'open' ORDER BY created_at LIMIT 20")).toBe(
      "orders (created_at) WHERE status = 'open'",
    )
    expect(await adviceOn('SELECT p.id, p.name FROM people p WHERE p.vip AND p.country = $1')).toBe(
      'people (country) WHERE vip',
    )
  })

  it('makes an index on an expression, and on the beginning of a text', async () => {
    expect(await adviceOn('SELECT id FROM people p WHERE lower(p.email) = $1')).toBe('people (lower(email))')
    expect(await adviceOn("SELECT id FROM people WHERE name LIKE 'a1b%'")).toBe(
      'people (name text_pattern_ops)',
    )
  })

  it('counts the values of an expression in a sample, and indexes none that may change', async () => {
    const find = (expression: string) => adviceOn(`SELECT id FROM devices d WHERE ${expression} = $1`)
    expect(await find("d.facts->>'serial'")).toBe("devices ((facts ->> 'serial'))")
    expect(await find("regexp_replace(label, '[^0-9]', '', 'g')")).toBe(
      "devices (regexp_replace(label, '[^0-9]', '', 'g'))",
    )
    expect(await find("facts->>'kind'")).toBe('none: not-selective')
    expect(await find("date_trunc('day', bought)")).toBe('none: not-selective')
    expect(await find('bought::date')).toBe('none: not-selective')
  })

  it('turns a table between two others round, so that its rows come in the order of the other', async () => {
    const newest = `SELECT p.id, p.name FROM owned o JOIN people p ON p.id = o.person_id
                     WHERE o.device_id = $1 ORDER BY p.id DESC LIMIT 10`
    expect(await adviceOn(newest)).toBe('owned (device_id, person_id)')
  })

  it('carries a column along only where reading it from the table is what costs', async () => {
    expect(await adviceOn('SELECT sum(total) FROM orders WHERE person_id = $1')).not.toContain('INCLUDE')
    expect(await adviceOn('SELECT sum(total) FROM orders WHERE lane = $1')).toBe(
      'orders (lane) INCLUDE (total)',
    )
    const quick = { text: 'SELECT sum(total) FROM orders WHERE lane = $1', calls: 10, totalMilliseconds: 10 }
    expect((await adviseIndexes(client, [quick])).verdicts[0]?.index?.include ?? []).toEqual([])
  })

  it('says why there is none', async () => {
    expect(await adviceOn('SELECT * FROM people WHERE id = $1')).toBe('none: indexed-already')
    expect(await adviceOn('SELECT * FROM orders WHERE shelf = $1 ORDER BY created_at DESC LIMIT 3')).toBe(
      'none: indexed-already',
    )
    expect(await adviceOn('SELECT * FROM kinds WHERE name = $1')).toBe('none: small-table')
    expect(await adviceOn("SELECT * FROM orders WHERE status = 'closed'")).toBe('none: not-selective')
    expect(await adviceOn("SELECT * FROM people WHERE name LIKE '%x%'")).toBe('none: not-selective')
    expect(await adviceOn('SELECT country, count(*) FROM people GROUP BY country')).toBe('none: no-condition')
    expect(await adviceOn('INSERT INTO kinds VALUES ($1, $2)')).toBe('none: no-condition')
    expect(await adviceOn('SELECT * FROM fresh WHERE person_id = 1')).toBe('none: no-statistics')
    expect(await adviceOn('SELECT * FROM gone WHERE a = 1')).toBe('none: not-understood')
    expect(await adviceOn('VACUUM')).toBe('none: not-understood')
  })

  it('leaves what is quick alone', async () => {
    const [verdict] = (
      await adviseIndexes(client, [
        { text: 'SELECT * FROM orders WHERE person_id = $1', calls: 1000, totalMilliseconds: 100 },
      ])
    ).verdicts
    expect(verdict).toMatchObject({ index: null, none: 'quick-already' })
  })

  it('runs no second command that hides in a text, and leaves no trace', async () => {
    const evil = 'SELECT * FROM kinds WHERE name = $1; CREATE TABLE stolen (a int)'
    expect(await adviceOn(evil)).toBe('none: not-understood')
    expect(await adviceOn('DELETE FROM kinds')).toContain('none')
    const { rows } = await client.query(
      `SELECT to_regclass('stolen') AS stolen, (SELECT count(*) FROM kinds)::int AS kinds,
              (SELECT count(*) FROM pg_prepared_statements)::int AS prepared, current_setting('plan_cache_mode') AS mode`,
    )
    expect(rows[0]).toEqual({ stolen: null, kinds: 40, prepared: 0, mode: 'auto' })
  })

  it('leaves nothing prepared, even when it fails in the middle', async () => {
    await client.query('PREPARE holdfast_plan AS SELECT 1')
    await adviseIndexes(client, [{ text: 'SELECT * FROM kinds', calls: 1, totalMilliseconds: 0 }])
    const { rows } = await client.query('SELECT name FROM pg_prepared_statements')
    expect(rows).toEqual([])
  })

  it('merges what one index serves, and proves it with plans, costs, size and both statements', async () => {
    const advised = await adviseIndexes(client, [
      { text: 'SELECT * FROM orders WHERE person_id = $1', calls: 100, totalMilliseconds: 500 },
      {
        text: 'SELECT * FROM orders WHERE person_id = $1 ORDER BY created_at',
        calls: 10,
        totalMilliseconds: 900,
      },
      { text: 'UPDATE orders SET person_id = $1 WHERE id = $2', calls: 10, totalMilliseconds: 0 },
    ])
    expect(advised.advice).toHaveLength(1)
    const [advice] = advised.advice
    expect(advice?.ddl).toMatch(/^CREATE INDEX CONCURRENTLY orders_person_id_\w{6} ON orders \(person_id\)$/)
    expect(advice?.verdicts.map(({ statement }) => statement.totalMilliseconds)).toEqual([900, 500])
    expect(advice?.savesMilliseconds).toBeGreaterThan(1000)
    expect(advice?.sizeBytes).toBeGreaterThan(100_000)
    expect(advice?.writes).toMatchObject({ indexes: 2, slowsUpdatesOf: ['person_id'] })
    const evidence = advice?.verdicts[0]?.evidence
    expect(evidence?.costBefore).toBeGreaterThan((evidence?.costAfter ?? 0) * 3)
    expect(evidence?.planBefore).toContain('Seq Scan on orders')
    await client.query(advice?.ddl as string)
    const [after] = (
      await adviseIndexes(client, [
        { text: 'SELECT * FROM orders WHERE person_id = $1', calls: 1, totalMilliseconds: 0 },
      ])
    ).verdicts
    expect(after?.none).toBe('indexed-already')
    await client.query(advice?.undo as string)
  })

  it('puts an order after the index of a statement that would else go through it and skip rows', async () => {
    const newest = 'SELECT * FROM orders ORDER BY created_at DESC LIMIT 10'
    const own = 'SELECT * FROM orders WHERE person_id = $1 AND total > $2 ORDER BY created_at LIMIT 3'
    for (const method of methods) {
      const { advice } = await adviseIndexes(
        client,
        [
          { text: newest, calls: 100, totalMilliseconds: 10_000 },
          { text: own, calls: 100, totalMilliseconds: 1_000 },
        ],
        { method },
      )
      const [first, second] = advice
      expect(describeIndex(first?.index as IndexShape)).toMatch(/^orders \(person_id/)
      expect(first?.after).toEqual([])
      expect(describeIndex(second?.index as IndexShape)).toMatch(/^orders \(created_at/)
      expect(second?.after).toEqual([first?.name])
      const alone = await adviseIndexes(client, [{ text: newest, calls: 1, totalMilliseconds: 100 }], {
        method,
      })
      expect(alone.advice.map(({ after }) => after)).toEqual([[]])
    }
  })

  it('lets an order stand alone where the rows of any value are found soon, or are few to go through', async () => {
    for (const method of methods) {
      const { advice } = await adviseIndexes(
        client,
        [
          'SELECT * FROM orders ORDER BY total DESC LIMIT 10',
          'SELECT * FROM orders WHERE lane = $1 ORDER BY total LIMIT 3',
          'SELECT * FROM orders WHERE person_id = $1 ORDER BY created_at LIMIT 3',
          "SELECT max(created_at) FROM orders WHERE person_id = $1 AND status = 'open'",
        ].map((text) => ({ text, calls: 100, totalMilliseconds: 10_000 })),
        { method },
      )
      expect(advice.map(({ index }) => describeIndex(index))).toContain('orders (total)')
      expect(advice.map(({ after }) => after)).toEqual(advice.map(() => []))
    }
  })

  it('puts an index after the one of a statement that has a range on its column', async () => {
    const largest = 'SELECT * FROM orders ORDER BY total DESC LIMIT 10'
    const own = 'SELECT * FROM orders WHERE person_id = $1 AND total > $2'
    for (const method of methods) {
      const { advice } = await adviseIndexes(
        client,
        [
          { text: largest, calls: 100, totalMilliseconds: 10_000 },
          { text: own, calls: 100, totalMilliseconds: 1_000 },
        ],
        { method },
      )
      expect(advice.map(({ index, after }) => [describeIndex(index), after.length])).toEqual([
        ['orders (person_id, total)', 0],
        ['orders (total)', 1],
      ])
    }
  })

  it('puts an index after the one that a join looks up by, when it holds that column in second place', async () => {
    const first = 'SELECT * FROM orders WHERE lane = $1 ORDER BY person_id LIMIT 5'
    const joined = 'SELECT o.note FROM people p JOIN orders o ON o.person_id = p.id WHERE p.name = $1'
    for (const method of methods) {
      const { advice } = await adviseIndexes(
        client,
        [
          { text: first, calls: 100, totalMilliseconds: 10_000 },
          { text: joined, calls: 100, totalMilliseconds: 1_000 },
        ],
        { method },
      )
      expect(advice.map(({ index, after }) => [describeIndex(index), after.length])).toEqual([
        ['orders (person_id)', 0],
        ['orders (lane, person_id)', 1],
      ])
    }
  })

  it('knows that a part of a table holds its own column', async () => {
    for (const [asked, way] of [
      ['max(o.created_at)', 'Index Only Scan'],
      ['max(o.created_at), max(o.status)', 'Index Scan'],
    ]) {
      const text = `SELECT ${asked} FROM orders o WHERE o.status = 'open'`
      const { verdicts } = await adviseIndexes(client, [{ text, calls: 100, totalMilliseconds: 0 }], {
        method: 'statistics',
      })
      expect(line(verdicts[0] as Verdict)).toContain("WHERE status = 'open'")
      expect(verdicts[0]?.evidence?.planAfter).toMatch(new RegExp(`^${way} on orders`))
    }
  })

  it('carries columns along beside an index that pays without them only where little is written', async () => {
    const text = 'SELECT sum(person_id) FROM orders WHERE lane = $1 AND shelf = $2 AND total < $3'
    const includeOf = async (writes?: ReadonlyMap<string, number>) => {
      const statement = { text, calls: 1_000, totalMilliseconds: 10_000 }
      const { verdicts } = await adviseIndexes(client, [statement], { ...(writes && { writes }) })
      return [verdicts[0]?.index?.keys.length, verdicts[0]?.index?.include]
    }
    expect(await includeOf()).toEqual([3, []])
    expect(await includeOf(new Map([['orders', 5]]))).toEqual([3, ['person_id']])
    expect(await includeOf(new Map([['orders', 50_000]]))).toEqual([3, []])
  })

  it('advises nothing whose upkeep costs more than it saves', async () => {
    const statements = [
      { text: 'SELECT * FROM orders WHERE person_id = $1', calls: 10, totalMilliseconds: 50 },
    ]
    const quiet = await adviseIndexes(client, statements, { writes: new Map([['orders', 100]]) })
    expect(quiet.advice).toHaveLength(1)
    const busy = await adviseIndexes(client, statements, { writes: new Map([['orders', 1_000_000]]) })
    expect(busy.advice).toEqual([])
    expect(busy.verdicts[0]).toMatchObject({ index: null, none: 'writes-outweigh' })
  })
})
