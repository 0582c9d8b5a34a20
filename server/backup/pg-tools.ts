import { execFile, spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { BackupError } from './error'
import type { PostgresPlace } from './place'

const run = promisify(execFile)

/** Where Debian and Ubuntu keep the programs of each major version. */
const DEBIAN = '/usr/lib/postgresql'
/** Where the system's own authorities stand, by distribution. */
const AUTHORITIES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/cert.pem',
]

export interface Tool {
  path: string
  /** Its major version. */
  version: number
}

/**
 * Finds pg_dump or pg_restore: the oldest one that is not older than `least`, so that what it writes can be read by
 * as many as possible. Throws a {@link BackupError} that says which package brings one.
 * @param folders where to look; the PATH, then Debian's, where left out.
 */
export async function findTool(
  name: 'pg_dump' | 'pg_restore',
  least: number,
  folders: readonly string[] = searched(),
): Promise<Tool> {
  const tools: Tool[] = []
  for (const folder of folders) {
    const path = join(folder, name)
    if (!existsSync(path)) continue
    const version = await versionOf(path)
    if (version !== null) tools.push({ path, version })
  }
  const [fit] = tools.filter(({ version }) => version >= least).sort((a, b) => a.version - b.version)
  if (fit) return fit
  const remedy = `Install it (on Debian: apt-get install postgresql-client-${least}), then try again.`
  const [newest] = tools.sort((a, b) => b.version - a.version)
  throw new BackupError(
    newest
      ? `${name} is of PostgreSQL ${newest.version}, older than the server, which is ${least}: it does not know all that the server holds.`
      : `${name} is missing: a store on PostgreSQL is copied by the server's own tools.`,
    remedy,
  )
}

function searched(): string[] {
  // biome-ignore lint/style/noProcessEnv: where programs are found is no configuration of ours.
  const path = (process.env.PATH ?? '').split(delimiter).filter(Boolean)
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN) : []
  return [...path, ...versions.map((version) => join(DEBIAN, version, 'bin'))]
}

async function versionOf(path: string): Promise<number | null> {
  try {
    const { stdout } = await run(path, ['--version'], { timeout: 10_000 })
    const [, major] = /(\d+)(\.|devel|beta|rc|\s|$)/.exec(stdout) ?? []
    return major === undefined ? null : Number(major)
  } catch {
    return null
  }
}

/** Runs a tool to its end. Nothing secret stands among its arguments. Throws what it said. */
export async function runTool(
  { path }: Tool,
  args: readonly string[],
  place?: PostgresPlace,
): Promise<string> {
  const child = spawn(path, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    // biome-ignore lint/style/noProcessEnv: the tool finds its libraries and its language there.
    env: { ...process.env, ...(place ? connection(place) : {}) },
  })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (out += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (err = (err + chunk).slice(-4_000)))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  if (code === 0) return out
  throw new BackupError(`${path} failed: ${err.trim() || `exit status ${code}`}`)
}

/** How libpq connects, by its variables. */
function connection({
  host,
  port,
  database,
  user,
  password,
  ssl,
  caFile,
}: PostgresPlace): Record<string, string> {
  const authority = caFile ?? AUTHORITIES.find((file) => existsSync(file))
  return {
    ...{ PGHOST: host, PGPORT: String(port), PGDATABASE: database, PGUSER: user, PGPASSWORD: password },
    ...{ PGAPPNAME: 'holdfast backup', PGCONNECT_TIMEOUT: '10', PGOPTIONS: '-c statement_timeout=0' },
    PGSSLMODE: ssl === 'no-verify' ? 'require' : ssl ? 'verify-full' : 'disable',
    ...(ssl === true && authority ? { PGSSLROOTCERT: authority } : {}),
  }
}
