import { describe, expect, it } from 'vitest'
import { noPostgres, openTrap, refused } from './trap'

describe.skipIf(noPostgres)('the trap of', () => {
  const trap = openTrap()

  it('CHECK with SQLite functions: carried where it means the same, listed with its SQL where not', async () => {
    const { report, listed, table } = await trap.run(
      `
      CREATE TABLE c (id INTEGER PRIMARY KEY, email TEXT CHECK (email LIKE '%_@_%' AND length(email) BETWEEN 3 AND 99),
        state TEXT NOT NULL DEFAULT 'new' CONSTRAINT "known state" CHECK (state IN ('new', 'Old', 'it''s')),
        n INTEGER CHECK (typeof(n) <> 'text' AND n % 2 = 0), f BOOLEAN CHECK (f IN (0, 1)),
        born DATE CHECK (born >= '1900-01-01' AND born = date(born)), code TEXT CHECK (code GLOB '[A-Z][0-9]*'),
        odd TEXT CHECK (printf('%s', odd) <> 'X'), low INTEGER, high INTEGER,
        CONSTRAINT ordered CHECK (low IS NULL OR low <= high));
      INSERT INTO c (email, n, f, born, code, low, high) VALUES ('a@b', 2, 1, '2000-01-01', 'A1', 1, 2), (NULL, NULL, NULL, NULL, NULL, NULL, NULL);`,
    )
    expect(listed).toEqual(['check c.odd'])
    expect(report.plan.notCarried[0]).toMatchObject({ sql: "CHECK (printf('%s', odd) <> 'X')" })
    const names = table('c').checks?.map((check) => check.name)
    expect(names).toEqual([
      'c_email_check',
      'known state',
      'c_n_check',
      'c_f_check',
      'c_born_check',
      'c_code_check',
      'ordered',
    ])
    const kept = await trap.query(
      `SELECT conname FROM pg_constraint WHERE contype = 'c' AND convalidated AND conrelid = 'c'::regclass`,
    )
    expect(kept).toHaveLength(7)
    expect(await refused(trap, `INSERT INTO c (email) VALUES ('nobody')`)).toBe('23514')
    expect(await refused(trap, `INSERT INTO c (state) VALUES ('OLD')`)).toBe('23514')
    expect(await refused(trap, `INSERT INTO c (state) VALUES ('it''s')`)).toBe('accepted')
    expect(await refused(trap, `INSERT INTO c (n) VALUES (3)`)).toBe('23514')
    expect(await refused(trap, `INSERT INTO c (code) VALUES ('a1')`)).toBe('23514')
    expect(await refused(trap, `INSERT INTO c (low, high) VALUES (2, 1)`)).toBe('23514')
  })

  it('CHECK that rows break: stays NOT VALID, amber, and holds for new rows', async () => {
    const { report } = await trap.run(`
      CREATE TABLE b (id INTEGER PRIMARY KEY, n INTEGER CONSTRAINT small CHECK (n < 10));
      PRAGMA ignore_check_constraints = ON; INSERT INTO b (n) VALUES (1), (99), (NULL);`)
    const check = report.validation.checks.find((one) => one.id === 'target-clauses')
    expect(check).toMatchObject({ state: 'amber', detail: expect.stringContaining('small of b') })
    expect(
      await trap.query(
        `SELECT conname, convalidated FROM pg_constraint WHERE contype = 'c' AND conrelid = 'b'::regclass`,
      ),
    ).toEqual([{ conname: 'small', convalidated: false }])
    expect(await refused(trap, 'INSERT INTO b (n) VALUES (11)')).toBe('23514')
  })
})
