import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { startRun, validate } from '../runs/client'
import { type Bench, openBench } from '../testing/target'
import type { Job, TableValidation } from '../types'

const engine = inject('postgres')

describe.skipIf(!engine)('the first row that differs', () => {
  let bench: Bench
  let job: Job
  beforeEach(async () => {
    bench = await openBench(engine as NonNullable<typeof engine>)
  })
  afterEach(() => bench.close())

  async function migrate(sql: string): Promise<void> {
    job = bench.job(bench.file(sql))
    const end = await startRun(job).ended
    if (end.state !== 'done') throw new Error(JSON.stringify(end))
    expect(end.report.validation.ok).toBe(true)
    job = { ...job, plan: end.report.plan }
  }

  async function afterwards(sql: string): Promise<TableValidation> {
    await bench.client.query(sql)
    const bad = (await validate(job)).tables.filter((table) => !table.ok)
    expect(bad.length).toBe(1)
    return bad[0] as TableValidation
  }

  const numbers = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)`

  it('of a table with an integer key is shown side by side, doubles as numbers', async () => {
    await migrate(
      `CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT, price REAL); ${numbers} INSERT INTO items SELECT i, 'item ' || i, i + 0.25 FROM n`,
    )
    const { difference, firstDifference } = await afterwards(`UPDATE items SET price = 0.5 WHERE id > 700`)
    expect(difference).toEqual({
      key: 'id = 701',
      columns: [
        { column: 'id', source: '701', target: '701', differs: false },
        { column: 'name', source: 'item 701', target: 'item 701', differs: false },
        { column: 'price', source: '701.25', target: '0.5', differs: true },
      ],
    })
    expect(firstDifference).toBe(`id = 701, price: source '701.25', target '0.5'`)
  })

  it('is one that is missing on either side, and many more in the target are not read', async () => {
    await migrate(
      `CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO items VALUES (10, 'a'), (20, 'b')`,
    )
    expect(
      (await afterwards(`INSERT INTO items SELECT i, 'x' FROM generate_series(21, 30000) i`)).difference,
    ).toMatchObject({ key: 'id = 21', missing: 'source' })
    expect((await afterwards(`DELETE FROM items WHERE id >= 20`)).firstDifference).toBe(
      'id = 20: not in the target',
    )
  })

  it('of a table with a text key is found among its rows', async () => {
    await migrate(
      `CREATE TABLE pairs (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID; ${numbers} INSERT INTO pairs SELECT printf('k%06d', i), 'v' || i FROM n`,
    )
    const { difference } = await afterwards(`UPDATE pairs SET value = NULL WHERE name >= 'k012345'`)
    expect(difference).toEqual({
      key: 'name = k012345',
      columns: [
        { column: 'name', source: 'k012345', target: 'k012345', differs: false },
        { column: 'value', source: 'v12345', target: null, differs: true },
      ],
    })
  })

  it('of a table without a key is one that the other side does not have as often', async () => {
    await migrate(
      `CREATE TABLE log (line TEXT, level INTEGER); INSERT INTO log VALUES ('same', 1), ('same', 1), ('other', 2)`,
    )
    expect(
      (await afterwards(`DELETE FROM log WHERE ctid = (SELECT min(ctid) FROM log)`)).difference,
    ).toMatchObject({ key: 'log: line = same, level = 1', missing: 'target' })
    expect((await afterwards(`INSERT INTO log VALUES ('same', 1), ('new', 3)`)).difference).toMatchObject({
      key: 'log: line = new, level = 3',
      missing: 'source',
    })
  })

  it('shows long values around the first character that differs', async () => {
    await migrate(
      `CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT); INSERT INTO notes VALUES (1, printf('%.*c', 5000, 'a') || 'tail')`,
    )
    const { difference } = await afterwards(`UPDATE notes SET body = replace(body, 'tail', 'TAIL')`)
    expect(difference?.columns[1]).toEqual({
      column: 'body',
      source: `…${'a'.repeat(40)}tail`,
      target: `…${'a'.repeat(40)}TAIL`,
      differs: true,
    })
  })
})
