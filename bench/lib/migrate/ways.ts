import { closeSync, openSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import type { PostgresServer } from '@/db/testing/servers'
import type { RunEvent, RunReport } from '@/server/migration'
import { type Finished, run, seconds } from '../measure'
import type { Case } from './cases'

/** One way of bringing a case's rows into an empty database. */
export interface Timing {
  /** From the first COPY begun to the last committed, ms. */
  transfer: number
  /** From the command's start to its exit, ms. */
  whole: number
  /** Comparing every row afterwards, ms; 0 for ways that don't. */
  validate: number
  /** Peak PSS of the way's own processes, bytes. */
  memory: number
  /** CPU time of the way's processes and of the server's for it, s. */
  cpu: number
}

type Measured = Omit<Timing, 'cpu'>

export interface Place {
  postgres: PostgresServer
  database: string
  /** For scripts and rendered rows. */
  folder: string
}

/** pgloader at its fastest here; with its default of 100,000 prefetched rows it runs out of heap. */
export const PGLOADER =
  'workers = 4, concurrency = 1, batch rows = 25000, batch size = 20MB, prefetch rows = 25000'

/** Its transfer time is the one of its own summary. */
export async function pgloader({ postgres, database, folder }: Place, file: string): Promise<Measured> {
  const { user, password, host, port } = postgres
  const script = join(folder, 'pgloader.load')
  writeFileSync(
    script,
    `LOAD DATABASE FROM sqlite://${file} INTO pgsql://${user}:${password}@${host}:${port}/${database}
 WITH create tables, create indexes, reset sequences, ${PGLOADER}
 SET work_mem TO '64MB', maintenance_work_mem TO '256MB';\n`,
    { mode: 0o600 },
  )
  const done = await run('pgloader', ['--root-dir', join(folder, 'pgloader'), script])
  const found = /COPY Threads Completion\s+\d+\s+\d+\s+(?:[\d.]+ \w+\s+)?((?:\d+m)?[\d.]+)s/.exec(done.stdout)
  if (done.code !== 0 || !found?.[1]) throw failed('pgloader', done)
  const [, minutes, rest] = /^(?:(\d+)m)?([\d.]+)$/.exec(found[1]) ?? []
  return {
    transfer: (Number(minutes ?? 0) * 60 + Number(rest)) * 1000,
    whole: done.milliseconds,
    validate: 0,
    memory: done.memory,
  }
}

/** This project's command line, with everything that it does by itself. */
export async function holdfast({ postgres, database }: Place, file: string): Promise<Measured> {
  const { user, password, host, port } = postgres
  const command = fileURLToPath(new URL('../cli/migrate.mjs', import.meta.url))
  const target = `postgres://${user}@${host}:${port}/${database}`
  const done = await run(process.execPath, [command, '--source', file, '--target', target, '--json'], {
    PGPASSWORD: password,
  })
  const events = done.stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as RunEvent)
  const report = events.flatMap((event) => (event.type === 'done' ? event.report : []))[0] as
    | RunReport
    | undefined
  if (done.code !== 0 || !report?.validation.ok) throw failed('migrate', done)
  console.log(
    `  holdfast: ${report.phases.map((phase) => `${phase.phase} ${seconds(phase.milliseconds)}`).join(', ')}`,
  )
  const validate = report.phases.find(({ phase }) => phase === 'validate')?.milliseconds ?? 0
  return {
    transfer: report.transferMilliseconds,
    whole: done.milliseconds,
    validate,
    memory: done.memory,
  }
}

/** The halves of every table as text for COPY, rendered once: what follows measures PostgreSQL alone. */
export interface Rendered {
  /** Commands of each of the two sessions. */
  sessions: [string[], string[]]
  bytes: number
}

/** SQLite itself writes the lines; the rows of a case hold nothing that COPY would need escaped. */
export function render(one: Case, file: string, folder: string): Rendered {
  const rendered: Rendered = { sessions: [[], []], bytes: 0 }
  const db = new Database(file, { readonly: true })
  for (const { name } of one.tables) {
    const columns = db.pragma(`table_info(${name})`) as { name: string }[]
    const line = columns.map((column) => `ifnull(${column.name}, '\\N')`).join(', ')
    const last = db.prepare(`SELECT max(id) FROM ${name}`).pluck().get() as number
    const read = db
      .prepare(
        `SELECT CAST(group_concat(concat_ws(char(9), ${line}), char(10)) || char(10) AS BLOB) FROM ${name} WHERE id BETWEEN ? AND ?`,
      )
      .pluck()
    const half = Math.ceil(last / 2)
    for (const session of [0, 1] as const) {
      const path = join(folder, `${name}-${session}.txt`)
      const out = openSync(path, 'w')
      const until = session === 0 ? half : last
      for (let from = session * half + 1; from <= until; from += 5000) {
        const lines = read.get(from, Math.min(until, from + 4999)) as Buffer | null
        if (lines) writeSync(out, lines)
      }
      closeSync(out)
      rendered.bytes += statSync(path).size
      rendered.sessions[session].push('-c', `\\copy ${name} FROM '${path}'`)
    }
  }
  db.close()
  return rendered
}

/** Two psql at once, each loading its half of every table, into tables without indexes. */
export async function copy(place: Place, one: Case, { sessions }: Rendered): Promise<Measured> {
  const { postgres, database } = place
  for (const { name, target } of one.tables) {
    await postgres.query(`CREATE TABLE ${name} (${target})`, [], database)
  }
  const url = `postgres://${postgres.user}@${postgres.host}:${postgres.port}/${database}`
  const started = performance.now()
  const both = await Promise.all(
    sessions.map((commands) =>
      run('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', url, ...commands], { PGPASSWORD: postgres.password }),
    ),
  )
  const whole = performance.now() - started
  for (const done of both) if (done.code !== 0) throw failed('psql', done)
  return {
    transfer: whole,
    whole,
    validate: 0,
    memory: both.reduce((sum, { memory }) => sum + memory, 0),
  }
}

function failed(name: string, { code, stdout, stderr }: Finished): Error {
  return new Error(`${name} ended with status ${code}:\n${(stdout + stderr).slice(-3000)}`)
}
