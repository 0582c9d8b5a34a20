import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { makeAuthorities } from '@/db/testing/certificates'
import { startPostgres } from '@/db/testing/servers'
import { type Bench, openBench } from '@/server/migration/testing/target'
import type { Plan, RunEvent } from '@/server/migration/types'

const engine = inject('postgres')

describe.skipIf(!engine)('npm run migrate', () => {
  let bench: Bench
  let url: string
  beforeAll(async () => {
    bench = await openBench(engine as NonNullable<typeof engine>)
    const { host, port, user, database } = bench.target
    url = `postgres://${user}@${host}:${port}/${database}`
  })
  afterAll(() => bench.close())

  function migrate(
    args: string[],
    {
      password = bench.target.password,
      env = {} as Record<string, string>,
      onLine = (_: string, __: () => void) => {},
    } = {},
  ) {
    const child = spawn(process.execPath, [join(process.cwd(), 'dist/cli/migrate.mjs'), ...args], {
      env: { PATH: process.env.PATH, PGPASSWORD: password, NODE_ENV: 'test', ...env },
    })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (data) => {
      stdout += data
      onLine(stdout, () => child.kill('SIGINT'))
    })
    child.stderr.on('data', (data) => {
      stderr += data
    })
    return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
      child.on('close', (code) => resolve({ code, stdout, stderr }))
    })
  }

  const small = () =>
    bench.file(`CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, 'one'), (2, NULL)`)

  it('moves a file and ends with 0', async () => {
    const done = await migrate(['--source', small(), '--target', url, '--schema', 'plain'])
    expect(done).toMatchObject({ code: 0, stderr: '' })
    expect(done.stdout).toContain('Both sides are equal: 1 tables, 2 rows.')
    expect(done.stdout).not.toContain(bench.target.password)
    const { rows } = await bench.client.query('SELECT id::int, v FROM plain.t ORDER BY id')
    expect(rows).toEqual([
      { id: 1, v: 'one' },
      { id: 2, v: null },
    ])
  })

  it('prints events as JSON', async () => {
    const done = await migrate(['--source', small(), '--target', url, '--schema', 'json', '--json'])
    const events = done.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as RunEvent)
    expect(events.at(-1)).toMatchObject({ type: 'done', report: { rows: 2, validation: { ok: true } } })
  })

  it('plans without writing, and saves the choices that a run takes', async () => {
    const source = small()
    const choices = `${source}.json`
    const planned = await migrate(['plan', '--source', source, '--target', url, '--schema', 'planned'])
    expect(planned).toMatchObject({ code: 0, stdout: expect.stringMatching(/v +TEXT +→ text/) })
    const args = ['--source', source, '--target', url, '--schema', 'planned']
    const saved = await migrate(['plan', ...args, '--json', '--save-choices', choices])
    expect(JSON.parse(saved.stdout)).toMatchObject({ schema: 'planned', tables: [{ source: 't', rows: 2 }] })
    expect(JSON.parse(readFileSync(choices, 'utf8'))).toMatchObject({
      version: 1,
      tables: { t: { target: 't', columns: { v: { target: 'v', nulls: 'keep' } } } },
    })
    const { rows } = await bench.client.query(`SELECT FROM pg_namespace WHERE nspname = 'planned'`)
    expect(rows).toEqual([])
    expect(await migrate(['run', ...args, '--choices', choices])).toMatchObject({ code: 0, stderr: '' })
  })

  it('compares a target with the file at any time: 0 while they agree, 4 with the row that differs', async () => {
    const args = ['--source', small(), '--target', url, '--schema', 'compared']
    expect(await migrate(['run', ...args])).toMatchObject({ code: 0 })
    const same = await migrate(['validate', ...args])
    expect(same).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringContaining('Both sides are equal'),
    })
    expect(same.stdout).not.toContain('moved')
    await bench.client.query(`UPDATE compared.t SET v = 'eins' WHERE id = 1`)
    const differs = await migrate(['validate', ...args])
    expect(differs).toMatchObject({ code: 4, stdout: expect.stringContaining('id = 1') })
    const events = (await migrate(['validate', ...args, '--json'])).stdout.trim().split('\n')
    expect(JSON.parse(events.at(-1) as string)).toMatchObject({ type: 'done', report: { mode: 'compare' } })
  })

  it('ends with 5 when rows could not be stored as chosen, and keeps them in a file', async () => {
    const source = bench.file(
      `CREATE TABLE m (id INTEGER PRIMARY KEY, v INTEGER); INSERT INTO m VALUES (1, 5), (2, 'x')`,
    )
    const args = ['--source', source, '--target', url, '--schema', 'rejecting']
    const plan = JSON.parse((await migrate(['plan', ...args, '--json'])).stdout) as Plan
    const [, v] = plan.tables[0]?.columns ?? []
    const type = v?.options?.find(({ refused }) => refused === 1)?.type
    const choices = `${source}.json`
    const rejects = `${source}.rejects`
    writeFileSync(choices, JSON.stringify({ version: 1, tables: { m: { columns: { v: { type } } } } }))
    const done = await migrate(['run', ...args, '--choices', choices, '--rejects', rejects])
    expect(done).toMatchObject({
      code: 5,
      stderr: '',
      stdout: expect.stringContaining('1 rows were REJECTED: 1 of m'),
    })
    const rows = readFileSync(rejects, 'utf8').trim().split('\n')
    expect(rows.map((row) => JSON.parse(row))).toMatchObject([
      { table: 'm', key: 'id = 2', column: 'v', value: 'x' },
    ])
  })

  it('takes the target from the DB_ variables where none is named', async () => {
    const { host, port, user, database, password } = bench.target
    const env = {
      DB_HOST: host,
      DB_PORT: String(port),
      DB_USER: user,
      DB_NAME: database,
      DB_PASSWORD: password,
    }
    const done = await migrate(['run', '--source', small(), '--schema', 'named'], { env })
    expect(done).toMatchObject({ code: 0, stderr: '' })
  })

  it('refuses wrong arguments with 2, a password in the URL among them', async () => {
    const { user, host } = bench.target
    for (const args of [
      [],
      ['--nope'],
      ['--source', 'x'],
      ['fly'],
      ['cancel', '--target', 'postgres://a@b/c'],
      ['run', '--resume', 'x', '--target', 'postgres://a@b/c'],
      ['run', '--source', 'x', '--target', 'postgres://a@b/c', '--choices', '/nowhere.json'],
      ['--source', 'x', '--target', 'mysql://a/b'],
      ['--source', 'x', '--target', `postgres://${user}:secret@${host}/x`],
    ]) {
      const done = await migrate(args)
      expect(done.code, args.join(' ')).toBe(2)
      expect(done.stderr).toContain('--help')
      expect(done.stdout + done.stderr).not.toContain('secret')
    }
    expect((await migrate(['--help'])).stdout).toContain('Exit status: 0 done')
  })

  it('ends with 3 on a red preflight and 1 on a source that is none', async () => {
    const wrong = await migrate(['--source', small(), '--target', url], { password: 'wrong' })
    expect(wrong).toMatchObject({ code: 3, stdout: expect.stringContaining('refused user') })
    const none = await migrate(['--source', process.execPath, '--target', url])
    expect(none).toMatchObject({ code: 1, stdout: expect.stringContaining('not a SQLite database') })
  })

  it('stops on Ctrl-C at a committed batch with 130, and resumes and cancels by the run it named', {
    timeout: 90_000,
  }, async () => {
    const file = bench.file(`CREATE TABLE big (id INTEGER PRIMARY KEY, a TEXT);
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120000) INSERT INTO big SELECT i, printf('%0400d', i) FROM n`)
    const interrupt = async (schema: string) => {
      let sent = false
      const stopped = await migrate(['--source', file, '--target', url, '--schema', schema], {
        onLine: (text, kill) => {
          if (sent || !text.includes('Transfer ')) return
          sent = true
          kill()
        },
      })
      expect(stopped.code).toBe(130)
      return /resume (\S+)/.exec(stopped.stdout)?.[1] as string
    }
    const first = await interrupt('one')
    const known = await migrate(['status', '--target', url, '--json'])
    expect(known.code).toBe(0)
    expect(JSON.parse(known.stdout).runs).toMatchObject([
      {
        runId: first,
        state: 'running',
        active: false,
        schema: 'one',
        rows: 120_000,
        tables: [{ table: 'big' }],
      },
    ])
    const read = await migrate(['status', first, '--target', url])
    expect(read.stdout).toContain(`Run ${first}: stopped: resume or cancel it`)
    const resumed = await migrate(['resume', first, '--target', url])
    expect(resumed).toMatchObject({ code: 0, stdout: expect.stringContaining('120,000 rows') })
    const second = await interrupt('two')
    expect(await migrate(['cancel', second, '--target', url])).toMatchObject({ code: 130 })
    const third = await interrupt('three')
    expect(await migrate(['--target', url, '--resume', third])).toMatchObject({ code: 0 })
    expect((await migrate(['status', '--target', url])).stdout).toContain('No run is unfinished')
    const { rows } = await bench.client.query(
      `SELECT nspname FROM pg_namespace WHERE nspname IN ('two', 'holdfast_migration')`,
    )
    expect(rows).toEqual([])
  })

  it('verifies the target by the authority that it is told of, in every process and thread', async () => {
    const authorities = makeAuthorities()
    const [ours, foreign] = [authorities.make('ours'), authorities.make('foreign')]
    const server = await startPostgres({ settings: ours.sign('db') })
    const { host, port, user, password } = server
    const encrypted = await openBench({ host, port, user, password })
    const { database } = encrypted.target
    const verified = `postgres://${user}@${host}:${port}/${database}?sslmode=verify-full`
    const args = (target: string, schema: string) => [
      '--source',
      small(),
      '--target',
      target,
      '--schema',
      schema,
    ]
    try {
      const told = await migrate(args(`${verified}&sslrootcert=${ours.file}`, 'told'), { password })
      expect(told).toMatchObject({ code: 0, stderr: '' })
      const env = { DB_SSL_CA: foreign.file }
      const refused = await migrate(args(verified, 'refused'), { password, env })
      expect(refused.code).toBe(3)
      expect(refused.stdout + refused.stderr).toContain('signed by nobody whom this machine trusts')
      const missing = await migrate(args(`${verified}&sslrootcert=/nowhere.pem`, 'missing'), { password })
      expect(missing).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('sslrootcert names /nowhere.pem'),
      })
    } finally {
      await encrypted.close()
      await server.stop()
      authorities.remove()
    }
  }, 120_000)
})
