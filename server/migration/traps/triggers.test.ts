import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { expectRows, noPostgres, openTrap, refused } from './trap'

describe.skipIf(noPostgres)('the trap of', () => {
  const trap = openTrap()

  it('triggers: made after the load, and then do the same to the same rows', async () => {
    const { file, listed, plan } = await trap.run(`
      CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT, n INTEGER NOT NULL DEFAULT 0, updated TEXT, done BOOLEAN DEFAULT 0);
      CREATE TABLE log (id INTEGER PRIMARY KEY AUTOINCREMENT, what TEXT, item INTEGER, old INTEGER, new INTEGER);
      CREATE TABLE stat (name TEXT PRIMARY KEY, total INTEGER) WITHOUT ROWID;
      INSERT INTO stat VALUES ('items', 0), ('sum', 0);
      CREATE TRIGGER added AFTER INSERT ON item BEGIN
        INSERT INTO log (what, item, new) VALUES ('added ' || NEW.name, NEW.id, NEW.n);
        UPDATE stat SET total = total + 1 WHERE name = 'items';
        UPDATE stat SET total = total + NEW.n WHERE name = 'sum'; END;
      CREATE TRIGGER changed AFTER UPDATE OF n ON item WHEN OLD.n <> NEW.n BEGIN
        INSERT INTO log VALUES (NULL, 'changed', NEW.id, OLD.n, NEW.n);
        UPDATE stat SET total = (SELECT sum(n) FROM item) WHERE name = 'sum'; END;
      CREATE TRIGGER touched AFTER UPDATE ON item FOR EACH ROW BEGIN UPDATE item SET updated = 'touched ' || COALESCE(OLD.updated, '-') WHERE id = NEW.id; END;
      CREATE TRIGGER guard BEFORE DELETE ON item WHEN OLD.done BEGIN SELECT RAISE(ABORT, 'it''s done'); END;
      CREATE TRIGGER "positive only" BEFORE UPDATE ON item BEGIN
        SELECT CASE WHEN NEW.n < 0 THEN RAISE(ABORT, 'negative') WHEN NEW.n > 1000 THEN RAISE(ABORT, 'too much') END;
        SELECT RAISE(ROLLBACK, 'known') FROM log WHERE what = 'added ' || NEW.name AND item <> NEW.id; END;
      CREATE TRIGGER removed AFTER DELETE ON item BEGIN DELETE FROM log WHERE item = OLD.id; INSERT INTO log (what) SELECT 'left: ' || count(*) FROM item; END;
      INSERT INTO item (name, n) VALUES ('a', 1), ('b', 2);`)
    expect(listed).toEqual([])
    expect(plan.triggers).toHaveLength(6)
    // Filled by the load alone: nothing fired during it.
    await expectRows(trap, file, ['item', 'log', 'stat'])

    const writes = [
      `INSERT INTO item (name, n) VALUES ('c', 3), ('d', 4)`,
      'UPDATE item SET n = n + 10 WHERE id = 1',
      `UPDATE item SET name = 'B' WHERE id = 2`,
      'DELETE FROM item WHERE id = 3',
      `INSERT INTO log (what) VALUES ('end')`,
    ]
    const db = new Database(file)
    for (const sql of writes) {
      db.exec(sql)
      await trap.query(sql)
    }
    await expectRows(trap, file, ['item', 'log', 'stat'])
    db.exec('UPDATE item SET done = 1 WHERE id = 4')
    await trap.query('UPDATE item SET done = true WHERE id = 4')
    for (const sql of [
      'DELETE FROM item WHERE id = 4',
      'UPDATE item SET n = -1 WHERE id = 1',
      'UPDATE item SET n = 1001 WHERE id = 1',
      `UPDATE item SET name = 'd' WHERE id = 1`,
    ]) {
      expect(() => db.exec(sql)).toThrow()
      expect(await refused(trap, sql)).toBe('P0001')
    }
    db.close()
    await expectRows(trap, file, ['item', 'log', 'stat'])
  })

  it('triggers on views, which write what the view shows', async () => {
    const { listed, file } = await trap.run(`
      CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO person VALUES (1, 'a');
      CREATE VIEW people AS SELECT id, upper(name) AS shout FROM person;
      CREATE TRIGGER renamed INSTEAD OF UPDATE ON people BEGIN UPDATE person SET name = lower(NEW.shout) WHERE id = OLD.id; END;`)
    expect(listed).toEqual([])
    const sql = `UPDATE people SET shout = 'NEW'`
    new Database(file).exec(sql).close()
    await trap.query(sql)
    await expectRows(trap, file, ['person'])
  })

  it('triggers that are not known to do the same: listed with their SQL', async () => {
    const { listed, plan } = await trap.run(
      `
      CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); CREATE TABLE u (id INTEGER PRIMARY KEY, v TEXT UNIQUE);
      CREATE TRIGGER replaces AFTER INSERT ON t BEGIN INSERT OR REPLACE INTO u VALUES (NEW.id, NEW.v); END;
      CREATE TRIGGER ignores BEFORE INSERT ON t BEGIN SELECT RAISE(IGNORE) WHERE NEW.v = 'x'; END;
      CREATE TRIGGER calls AFTER INSERT ON t BEGIN INSERT INTO u VALUES (last_insert_rowid(), 'x'); END;
      CREATE TRIGGER early BEFORE INSERT ON t BEGIN INSERT INTO u (v) VALUES (NEW.id); END;
      CREATE TRIGGER unwanted AFTER INSERT ON t BEGIN DELETE FROM u; END;`,
      { choices: { version: 1, leaveOut: ['unwanted'] } },
    )
    expect(listed).toEqual(
      ['calls', 'early', 'ignores', 'replaces', 'unwanted'].map((name) => `trigger ${name}`),
    )
    expect(plan.triggers).toEqual([])
    expect(plan.notCarried.every((item) => item.sql?.startsWith('CREATE TRIGGER'))).toBe(true)
  })
})
