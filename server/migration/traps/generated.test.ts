import { describe, expect, it } from 'vitest'
import { expectRows, noPostgres, openTrap, refused } from './trap'

describe.skipIf(noPostgres)('the trap of', () => {
  const trap = openTrap()

  it('generated columns, stored and virtual: computed by PostgreSQL, also from one another, and compared', async () => {
    const { file, table, listed } = await trap.run(
      `
      CREATE TABLE g (id INTEGER PRIMARY KEY, price REAL, qty INTEGER, name TEXT, born DATETIME,
        total REAL GENERATED ALWAYS AS (price * qty) STORED,
        twice REAL AS (total * 2) VIRTUAL,
        half INTEGER AS (qty / 2),
        label TEXT AS (upper(trim(name)) || ' #' || id),
        big BOOLEAN AS (qty > 10) STORED,
        day DATE AS (date(born)),
        UNIQUE (label));
      INSERT INTO g (price, qty, name, born) VALUES (0.1, 3, ' ünal ', '2024-02-29 12:00:00'), (2.5, -7, 'b', NULL), (1e10, 11, '', '1999-12-31 00:00:00');`,
    )
    expect(listed).toEqual([])
    const made = table('g').columns.flatMap((column) =>
      column.generated ? [[column.source, column.type, column.generated.stored]] : [],
    )
    expect(made).toEqual([
      ['total', 'double precision', true],
      ['twice', 'double precision', false],
      ['half', 'bigint', false],
      ['label', 'text', false],
      ['big', 'boolean', true],
      ['day', 'date', false],
    ])
    await expectRows(trap, file, ['g'])
    const [row] = await trap.query(
      `INSERT INTO g (price, qty, name) VALUES (1.5, 4, 'n') RETURNING id, total, twice, half, label, big, day`,
    )
    expect(row).toEqual({ id: '4', total: 6, twice: 12, half: '2', label: 'N #4', big: false, day: null })
    expect(await refused(trap, `UPDATE g SET total = 1`)).toBe('428C9')
  })

  it('a generated column that PostgreSQL would compute otherwise: an ordinary one with its values, listed with its SQL', async () => {
    const { file, listed, plan } = await trap.run(`
      CREATE TABLE g (id INTEGER PRIMARY KEY, n REAL, t TEXT, rounded REAL AS (round(n, 2)), padded TEXT AS (printf('%05d', n)) STORED,
        year TEXT AS (strftime('%Y', t)));
      INSERT INTO g (n, t) VALUES (2.675, '2024-01-01'), (1, NULL);`)
    expect(listed).toEqual([
      'generated column g.padded',
      'generated column g.rounded',
      'generated column g.year',
    ])
    expect(plan.notCarried.find((item) => item.name === 'g.padded')?.sql).toBe("AS (printf('%05d', n))")
    await expectRows(trap, file, ['g'])
  })
})
