import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { resumeRun, startRun } from '../runs/client'
import { type Bench, bothSides, openBench, recorder } from '../testing/target'
import type { Job, RunEvent } from '../types'

const engine = inject('postgres')

/** Every row is copied, and nothing is built on it yet. */
const copied = (event: RunEvent) =>
  event.type === 'phase' && event.phase === 'build' && event.state === 'started'

describe.skipIf(!engine)('a source between two workers of a run', { timeout: 120_000 }, () => {
  let bench: Bench
  beforeEach(async () => {
    bench = await openBench(engine as NonNullable<typeof engine>)
  })
  afterEach(() => bench.close())

  /** Parents and children, of about 4 MB. */
  const family = () =>
    bench.file(`CREATE TABLE parent (id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT, n INTEGER UNIQUE);
      CREATE TABLE child (id INTEGER PRIMARY KEY, parent_id INTEGER REFERENCES parent(id), a TEXT);
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
      INSERT INTO parent SELECT i, printf('%0200d', i), i FROM n;
      INSERT INTO child SELECT id, id, a FROM parent;`)

  /** Kills the worker after the copy, lets `change` write, and resumes. */
  async function interrupted(job: Job, change: (db: Database.Database) => void) {
    const first = recorder(copied, () => process.kill(handle.pid, 'SIGKILL'))
    const handle = startRun(job, { onEvent: first.onEvent })
    await handle.ended
    expect(first.called).toBe(true)
    const db = new Database(job.source)
    change(db)
    db.close()
    const seen = recorder()
    const end = await resumeRun(job, { onEvent: seen.onEvent }).ended
    const told = seen.events.some((event) => event.type === 'log' && /copied anew/.test(event.message))
    return { end, told }
  }

  it('that nobody wrote to is gone on with where it stopped', async () => {
    const { end, told } = await interrupted(bench.job(family()), () => {})
    expect(told).toBe(false)
    expect(end).toMatchObject({ state: 'done', report: { rows: 20_000, validation: { ok: true } } })
  })

  it('that was written to is copied anew, and the target becomes one state of it', async () => {
    const file = family()
    const { end, told } = await interrupted(bench.job(file), (db) =>
      db.exec(`UPDATE parent SET n = -n WHERE id <= 2; UPDATE parent SET n = 3 - id WHERE id <= 2;
        INSERT INTO parent VALUES (200000, 'new', 200000); INSERT INTO child VALUES (200000, 200000, 'new');
        DELETE FROM child WHERE id = 77; DELETE FROM parent WHERE id = 77;
        INSERT INTO parent VALUES (300000, 'gone', 300000); DELETE FROM parent WHERE id = 300000`),
    )
    expect(told).toBe(true)
    expect(end).toMatchObject({ state: 'done', report: { rows: 20_000, validation: { ok: true } } })
    for (const table of ['parent', 'child']) {
      const { source, target } = await bothSides(file, bench.client, table)
      expect(target).toEqual(source)
    }
    const { rows } = await bench.client.query(`INSERT INTO parent (a) VALUES ('next') RETURNING id`)
    expect(rows).toEqual([{ id: '300001' }])
  })

  it('whose tables were altered is refused, with what to do, and can be cancelled', async () => {
    const job = bench.job(family())
    const { end } = await interrupted(job, (db) => db.exec('ALTER TABLE child ADD COLUMN b TEXT'))
    expect(end).toMatchObject({
      state: 'failed',
      failure: {
        code: 'SOURCE_CHANGED',
        resumable: true,
        heals: false,
        remedy: expect.stringContaining('cancel the run'),
      },
    })
  })
})
