import { appendFileSync, cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'

/** Where npm test keeps what consoles print, to search it for secrets (scripts/secrets.mjs). None in a run by hand. */
const folder = process.env.HOLDFAST_TEST_OUTPUT

/** Keeps what a process has printed. */
export function keepOutput(name: string, text: string | Buffer): void {
  if (folder) appendFileSync(join(folder, `${name}.out`), text)
}

/** Values that nobody may print: they are looked for in everything that was printed. */
export function plant(...secrets: (string | undefined)[]): void {
  if (!folder) return
  for (const secret of secrets) {
    if (secret && secret.length >= 10) appendFileSync(join(folder, 'planted'), `${JSON.stringify(secret)}\n`)
  }
}

/** Plants what a console's environment keeps secret. */
export function plantEnvironment(env: Record<string, string>): void {
  for (const [name, value] of Object.entries(env)) {
    if (/PASSWORD|SECRET|TOKEN|KEY|OTLP_HEADERS/.test(name)) plant(value)
  }
}

const TOLD = ['audit_events', 'findings', 'alerts', 'alert_deliveries']

/** Keeps what the store of a console tells people: audit events, findings, alerts. */
export function keepTold(name: string, dataDir: string): void {
  const file = join(dataDir, 'holdfast.db')
  if (!folder || !existsSync(file)) return
  // A copy: even a read-only connection would leave a log beside the file, and tests look at what a console left.
  const copy = mkdtempSync(join(tmpdir(), 'holdfast-told-'))
  try {
    for (const end of ['', '-wal']) {
      if (existsSync(file + end)) cpSync(file + end, join(copy, `holdfast.db${end}`))
    }
    const db = new BetterSqlite3(join(copy, 'holdfast.db'))
    for (const table of TOLD) {
      for (const row of db.prepare(`SELECT * FROM ${table}`).iterate()) {
        const cells = Object.values(row as object).map((cell) =>
          Buffer.isBuffer(cell) ? cell.toString('latin1') : cell,
        )
        keepOutput(`${name}-${table}`, `${JSON.stringify(cells)}\n`)
      }
    }
    db.close()
  } catch (error) {
    // Some tests damage a store. What they did to it is theirs to look at.
    keepOutput(`${name}-unreadable`, `${(error as Error).message}\n`)
  } finally {
    rmSync(copy, { recursive: true })
  }
}
