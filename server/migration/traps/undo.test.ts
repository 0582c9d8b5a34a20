import { describe, expect, it } from 'vitest'
import { cancelRun, startRun } from '../runs/client'
import { fingerprint, recorder } from '../testing/target'
import { noPostgres, openTrap } from './trap'

describe.skipIf(noPostgres)('a run that is cancelled late', () => {
  const trap = openTrap()
  const functions = () =>
    trap.query(`SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1`)

  it('leaves no view, trigger or function behind, and spares those of others', async () => {
    await trap.query(
      `CREATE FUNCTION fired() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE VIEW theirs AS SELECT 1 AS one;`,
    )
    const before = await fingerprint(trap.bench.client)
    const file = trap.bench.file(`
      CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT CHECK (v <> ''), g TEXT AS (v || '!') STORED); INSERT INTO t (v) VALUES ('a');
      CREATE VIEW one AS SELECT v FROM t; CREATE VIEW two AS SELECT v FROM one;
      CREATE TRIGGER later AFTER INSERT ON t BEGIN DELETE FROM t WHERE v = 'x'; END;`)
    const job = trap.bench.job(file)
    const built = recorder(
      (event) => event.type === 'phase' && event.phase === 'validate' && event.state === 'started',
      () => process.kill(handle.pid, 'SIGKILL'),
    )
    const handle = startRun(job, { onEvent: built.onEvent })
    expect((await handle.ended).state).toBe('failed')
    expect(await functions()).toHaveLength(2)
    await cancelRun(job)
    expect(await fingerprint(trap.bench.client)).toEqual(before)
    expect(await functions()).toEqual([{ proname: 'fired' }])
  })

  it('does not begin where a view or function of others has the name', async () => {
    await trap.query(`CREATE FUNCTION fired() RETURNS int LANGUAGE sql AS 'SELECT 1'`)
    const file = trap.bench.file(`
      CREATE TABLE t (id INTEGER PRIMARY KEY); CREATE TRIGGER fired AFTER INSERT ON t BEGIN DELETE FROM t WHERE id < 0; END;`)
    const end = await startRun(trap.bench.job(file)).ended
    expect(end).toMatchObject({
      state: 'failed',
      failure: { code: 'PREFLIGHT_RED', message: expect.stringContaining('fired') },
    })
  })
})
