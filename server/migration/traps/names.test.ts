import { describe, expect, it } from 'vitest'
import { expectRows, noPostgres, openTrap } from './trap'

describe.skipIf(noPostgres)('the trap of', () => {
  const trap = openTrap()

  it('identifiers with spaces, quotes, reserved words, mixed case and emoji: kept as they are, in expressions too', async () => {
    const { file, listed } = await trap.run(`
      CREATE TABLE "order by" ("select" INTEGER PRIMARY KEY, "a ""b"" c" TEXT CHECK ("a ""b"" c" <> ''), [Mixed Case] TEXT, \`Ünï 🚀\` INTEGER, "it's" INTEGER AS ("Ünï 🚀" * 2) STORED, "a\\b" TEXT DEFAULT 'c\\d');
      INSERT INTO "order by" ("a ""b"" c", "Mixed Case", "Ünï 🚀") VALUES ('x', 'Y', 3);
      CREATE UNIQUE INDEX "an ""index""" ON "order by" (lower("Mixed Case")) WHERE "Ünï 🚀" > 0;
      CREATE VIEW "from" AS SELECT "a ""b"" c" AS "group", [Mixed Case] FROM "order by" AS "where";
      CREATE TRIGGER "when" AFTER DELETE ON "order by" BEGIN UPDATE "order by" SET "a\\b" = 'gone' || OLD."a ""b"" c"; END;`)
    expect(listed).toEqual([])
    await expectRows(trap, file, ['order by', 'from'])
    await trap.query(`INSERT INTO "order by" ("a ""b"" c", "Ünï 🚀") VALUES ('2', 0)`)
    await trap.query(`DELETE FROM "order by" WHERE "select" = 1`)
    expect(await trap.query(`SELECT "a\\b", "it's" FROM "order by"`)).toEqual([
      { 'a\\b': 'gonex', "it's": '0' },
    ])
  })

  it('names over 63 bytes that collide when cut, for tables, columns, indexes, checks, views and triggers', async () => {
    const long = 'ü'.repeat(31)
    const { listed, plan, table } = await trap.run(`
      CREATE TABLE "${long}_one" (id INTEGER PRIMARY KEY, "${long}_a" TEXT CONSTRAINT "${long}_x" CHECK ("${long}_a" <> ''), "${long}_b" TEXT CONSTRAINT "${long}_y" CHECK ("${long}_b" <> ''));
      CREATE TABLE "${long}_two" (id INTEGER PRIMARY KEY REFERENCES "${long}_one"(id));
      CREATE INDEX "${long}_ia" ON "${long}_one" ("${long}_a"); CREATE INDEX "${long}_ib" ON "${long}_one" ("${long}_b");
      CREATE VIEW "${long}_va" AS SELECT id FROM "${long}_one"; CREATE VIEW "${long}_vb" AS SELECT id FROM "${long}_va";
      CREATE TRIGGER "${long}_ta" AFTER DELETE ON "${long}_one" BEGIN DELETE FROM "${long}_two"; END;
      CREATE TRIGGER "${long}_tb" AFTER DELETE ON "${long}_one" BEGIN DELETE FROM "${long}_two"; END;
      INSERT INTO "${long}_one" VALUES (1, 'a', 'b'); INSERT INTO "${long}_two" VALUES (1);`)
    expect(listed).toEqual([])
    const one = table(`${long}_one`)
    const relations = [
      ...plan.tables.map((each) => each.target),
      ...one.indexes.map((each) => each.name),
      ...(plan.views ?? []).map((each) => each.target),
    ]
    expect(new Set(relations).size).toBe(6)
    expect(new Set(one.columns.map((column) => column.target)).size).toBe(3)
    expect(new Set(one.checks?.map((check) => check.name)).size).toBe(2)
    expect(new Set(plan.triggers?.map((trigger) => trigger.target)).size).toBe(2)
    for (const name of relations) expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63)
  })

  it('names that differ from PostgreSQL’s folding by case alone are not folded', async () => {
    const { file } = await trap.run(`
      CREATE TABLE "Items" (id INTEGER PRIMARY KEY, "Name" TEXT, ID_2 TEXT); CREATE TABLE other (items TEXT, "user" TEXT);
      INSERT INTO items VALUES (1, 'a', 'b'); INSERT INTO other VALUES ('c', 'd');`)
    await expectRows(trap, file, ['Items', 'other'])
    expect(await trap.query('SELECT "Name", "ID_2" FROM "Items"')).toEqual([{ Name: 'a', ID_2: 'b' }])
  })
})
