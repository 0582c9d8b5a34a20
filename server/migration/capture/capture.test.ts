import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { cancelRun, launch, resumeRun, startRun, validate } from '../runs/client'
import { noEvidence } from '../source/evidence'
import { type Bench, bothSides, openBench, recorder } from '../testing/target'
import type { Job, RunEvent } from '../types'
import { captureName, installCapture, isCaptured, openForCapture, removeCapture } from './install'

const engine = inject('postgres')

const TABLES = `PRAGMA journal_mode = WAL;
  CREATE TABLE people (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, email TEXT UNIQUE);
  CREATE TABLE notes (id INTEGER PRIMARY KEY, person INTEGER REFERENCES people ON DELETE CASCADE ON UPDATE CASCADE, body TEXT);
  CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT);
  CREATE TABLE log (line TEXT, level INTEGER);
  CREATE TABLE pad (id INTEGER PRIMARY KEY, filler TEXT);
  CREATE TRIGGER ours AFTER DELETE ON people BEGIN INSERT INTO log VALUES ('deleted', OLD.id); END;
  WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
  INSERT INTO people (name, email) SELECT 'name ' || i, 'mail ' || i FROM n;
  INSERT INTO notes (person, body) SELECT id, 'note' FROM people;
  INSERT INTO settings SELECT 'key ' || id, 'value' FROM people WHERE id < 400;
  INSERT INTO log SELECT 'line', id FROM people WHERE id < 50;
  WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
  INSERT INTO pad SELECT i, printf('%0300d', i) FROM n;`
const NAMES = ['people', 'notes', 'settings', 'log', 'pad']

/** What a run has put into a source. */
function traces(file: string): string[] {
  const db = new Database(file, { readonly: true })
  const names = db
    .prepare(`SELECT name FROM sqlite_schema WHERE name GLOB 'holdfast*'`)
    .pluck()
    .all() as string[]
  db.close()
  return names
}

describe.skipIf(!engine)('a run with capture', { timeout: 120_000 }, () => {
  let bench: Bench
  const stops: (() => Promise<number>)[] = []
  beforeEach(async () => {
    bench = await openBench(engine as NonNullable<typeof engine>)
  })
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop()
    await bench.close()
  })

  /** Writes to the file in another process until it is stopped. Answers the number of statements. */
  async function write(file: string, seed: number): Promise<() => Promise<number>> {
    const child = spawn(process.execPath, [resolve('server/migration/testing/writer.mjs'), file, `${seed}`], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const closed = once(child, 'close')
    let said = ''
    child.stdout.on('data', (data: Buffer) => {
      said += data
    })
    await once(child.stdout, 'data')
    let stopped: Promise<number> | undefined
    const stop = () => {
      stopped ??= (async () => {
        child.stdin.end()
        await closed
        return Number(said.trim().split('\n').at(-1))
      })()
      return stopped
    }
    stops.push(stop)
    return stop
  }

  async function expectEqual(file: string) {
    for (const table of NAMES) {
      const { source, target } = await bothSides(file, bench.client, table)
      expect(target.length, table).toBe(source.length)
      expect(target, table).toEqual(source)
    }
  }

  const captured = (more: Partial<Job> = {}) => bench.job(bench.file(TABLES), { capture: true, ...more })

  it('ends with both sides equal at one moment, while two programs go on writing', async () => {
    const job = captured()
    const writers = [await write(job.source, 1), await write(job.source, 2)]
    const { events, onEvent } = recorder()
    const end = await startRun(job, { onEvent }).ended
    const written = await Promise.all(writers.map((stop) => stop()))
    if (end.state !== 'done') throw new Error(JSON.stringify(end))
    expect(Math.min(...written)).toBeGreaterThan(100)
    const bad = end.report.validation.tables.filter(({ ok }) => !ok)
    expect(bad, JSON.stringify(bad)).toEqual([])
    expect(end.report.validation.ok).toBe(true)
    expect(events.some(({ type }) => type === 'lag')).toBe(true)
  })

  it('is cut over under two writing programs: whatever was accepted has arrived, the rest was refused', async () => {
    const job = captured()
    const writers = [await write(job.source, 5), await write(job.source, 6)]
    const end = await startRun(job).ended
    if (end.state !== 'done') throw new Error(JSON.stringify(end))
    const { events, onEvent } = recorder()
    const moved = await launch({ type: 'cutOver', job: { ...job, plan: end.report.plan } }, { onEvent }).ended
    expect(moved.state, JSON.stringify(moved)).toBe('stopped')
    expect(events.some(({ type }) => type === 'cutOver')).toBe(true)
    await Promise.all(writers.map((stop) => stop()))
    await expectEqual(job.source)
    expect(traces(job.source).every((name) => name.startsWith('holdfast_block_'))).toBe(true)
  })

  it('goes on after kill -9 without beginning again, and takes everything out of the source when it is cancelled', async () => {
    const job = captured()
    const stop = await write(job.source, 3)
    const midway = (event: RunEvent) =>
      event.type === 'progress' &&
      event.phase === 'transfer' &&
      event.tables.some(({ written }) => written > 0)
    const first = recorder(midway, () => process.kill(handle.pid, 'SIGKILL'))
    const handle = startRun(job, first)
    expect((await handle.ended).state).toBe('failed')
    expect(traces(job.source).length).toBeGreaterThan(0)
    const second = recorder(
      (event) => event.type === 'phase' && event.phase === 'build',
      () => process.kill(again.pid, 'SIGKILL'),
    )
    const again = resumeRun(job, second)
    expect((await again.ended).state).toBe('failed')
    expect(second.events.some((event) => event.type === 'log' && event.message.includes('anew'))).toBe(false)
    await cancelRun({ ...job, source: '' })
    await stop()
    expect(traces(job.source)).toEqual([])
  })

  it('resumes with its notes, and is equal', async () => {
    const job = captured()
    const stop = await write(job.source, 4)
    const midway = (event: RunEvent) =>
      event.type === 'progress' &&
      event.phase === 'transfer' &&
      event.tables.some(({ written }) => written > 0)
    const killed = recorder(midway, () => process.kill(handle.pid, 'SIGKILL'))
    const handle = startRun(job, killed)
    await handle.ended
    const end = await resumeRun(job).ended
    await stop()
    if (end.state !== 'done') throw new Error(JSON.stringify(end))
    const bad = end.report.validation.tables.filter(({ ok }) => !ok)
    expect(bad, JSON.stringify(bad)).toEqual([])
    expect(end.report.validation.ok).toBe(true)
  })

  it('rejects rows as they are in the end: mended and deleted ones no more, later ones as well', async () => {
    const job = captured()
    const change = (sql: string) => {
      const db = new Database(job.source)
      db.exec(sql)
      db.close()
    }
    const bad = `'x' || char(0)`
    change(
      `UPDATE settings SET value = ${bad} WHERE name IN ('key 5', 'key 6', 'key 7'); INSERT INTO log VALUES (${bad}, 7)`,
    )
    const rejects: string[] = []
    const { onEvent } = recorder(
      (event) => event.type === 'phase' && event.phase === 'build' && event.state === 'started',
      () =>
        change(`UPDATE settings SET value = 'mended' WHERE name = 'key 5'; DELETE FROM settings WHERE name = 'key 7';
          INSERT INTO settings VALUES ('late', ${bad}); UPDATE settings SET value = ${bad} WHERE name = 'key 9';
          INSERT INTO log VALUES (${bad}, 8), ('fine', 9)`),
    )
    const end = await startRun(job, {
      onEvent: (event) => {
        onEvent(event)
        if (event.type !== 'rejects') return
        if (event.first) rejects.length = 0
        rejects.push(...event.rows.map(({ table, column, value }) => `${table} ${column} ${value}`))
      },
    }).ended
    expect(end).toMatchObject({ state: 'done', report: { rejected: 5, validation: { ok: true } } })
    expect(rejects.sort()).toEqual([...Array(2).fill('log line x␀'), ...Array(3).fill('settings value x␀')])
    const { rows } = await bench.client.query(
      `SELECT name FROM settings WHERE name IN ('key 5', 'key 6', 'key 7', 'key 9', 'late')`,
    )
    expect(rows).toEqual([{ name: 'key 5' }])
  })

  it('leaves nothing in the source of a run that could not begin', async () => {
    const job = captured()
    await bench.client.query('CREATE TABLE people ()')
    expect((await startRun(job).ended).state).toBe('failed')
    expect(traces(job.source)).toEqual([])
  })

  it('does not hinder the application, nor touch its triggers, and tells runs apart', () => {
    const file = bench.file(TABLES)
    const db = openForCapture(file)
    const plan = [planned('settings', 'name')]
    expect(installCapture(db, 'one', plan)).toBe(true)
    expect(installCapture(db, 'one', plan)).toBe(false)
    expect(installCapture(db, 'two', plan)).toBe(true)
    for (const or of ['ABORT', 'FAIL', 'IGNORE', 'REPLACE', 'ROLLBACK']) {
      db.exec(
        `INSERT OR ${or} INTO settings VALUES ('${or}', 1); UPDATE OR ${or} settings SET value = 2 WHERE name = '${or}'`,
      )
    }
    db.exec(`INSERT INTO settings VALUES (NULL, 1); DELETE FROM settings WHERE name IS NULL`)
    const keys = db
      .prepare(`SELECT k0 FROM ${captureName('one')}_0`)
      .pluck()
      .all()
    expect(keys.sort()).toEqual(['ABORT', 'FAIL', 'IGNORE', 'REPLACE', 'ROLLBACK'])
    removeCapture(db, 'one')
    expect([isCaptured(db, 'one'), isCaptured(db, 'two')]).toEqual([false, true])
    removeCapture(db, 'two')
    db.close()
    expect(traces(file)).toEqual([])
  })

  function planned(source: string, key: string) {
    const evidence = { ...noEvidence }
    const column = {
      source: key,
      target: key,
      declaredType: 'TEXT',
      type: 'text',
      nullable: false,
      evidence,
      render: 'text' as const,
    }
    return {
      ...{
        source,
        target: source,
        rows: 0,
        bytes: 0,
        columns: [column],
        indexes: [],
        foreignKeys: [],
        notes: [],
      },
      primaryKey: { name: 'key', columns: [key] },
      scan: { kind: 'rowid' as const, name: 'rowid', min: '0', max: '0' },
    }
  }

  it('compares both sides again by the same plan once the writers are gone', async () => {
    const job = captured()
    const end = await startRun(job).ended
    if (end.state !== 'done') throw new Error(JSON.stringify(end))
    await expectEqual(job.source)
    expect((await validate({ ...job, plan: end.report.plan })).ok).toBe(true)
  })
})
