import { randomUUID } from 'node:crypto'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { readAuthority } from '@/server/authority'
import {
  cancelRun,
  type Job,
  openPrinter,
  type RunEnd,
  resumeRun,
  startRun,
  type Target,
} from '@/server/migration'

const help = `Usage: npm run migrate -- --source FILE --target postgres://USER@HOST:PORT/DATABASE [options]

Moves every table of a SQLite file into PostgreSQL, builds keys, indexes and foreign keys, and compares both sides.
The password is read from PGPASSWORD or DB_PASSWORD in the environment; a URL that holds one is refused.

  --source FILE      the SQLite database; it is only read
  --target URL       PostgreSQL 13 or newer; ?sslmode=require encrypts, verify-full also checks the certificate,
                     by the authority of sslrootcert=FILE, PGSSLROOTCERT or DB_SSL_CA where one is given
  --schema NAME      schema that receives the tables (public); it is created if it isn't there
  --exclude TABLE    leaves a table out; may be given again
  --workers N        threads that read and load (the cores, at most 4)
  --resume RUN       goes on with a run that stopped; needs --target alone
  --cancel RUN       undoes a run that isn't finished: the target is afterwards as it was; needs --target alone
  --json             one event a line, as JSON, instead of the progress bar
  --help             this text

Ctrl-C stops at a committed batch and prints how to resume or cancel.

Exit status: 0 done and both sides are equal · 1 failed · 2 wrong arguments · 3 the preflight is red
             4 both sides differ · 130 stopped or cancelled
`

/** Wrong arguments: exit status 2. */
class UsageError extends Error {}

async function run(): Promise<number> {
  const { action, job, json } = parse(process.argv.slice(2))
  const printer = openPrinter({ json, stream: process.stdout, now: Date.now })
  if (action === 'cancel') {
    await cancelRun(job, { onEvent: printer.event })
    return 130
  }
  printer.begin(job)
  const handle = (action === 'start' ? startRun : resumeRun)(job, { onEvent: printer.event })
  process.on('SIGINT', handle.stop)
  process.on('SIGTERM', handle.stop)
  const end = await handle.ended
  printer.end(job, end)
  return status(end)
}

function status(end: RunEnd): number {
  if (end.state === 'done') return end.report.validation.ok ? 0 : 4
  if (end.state === 'failed') return end.failure.code === 'PREFLIGHT_RED' ? 3 : 1
  return 130
}

function parse(args: string[]): { action: 'start' | 'resume' | 'cancel'; job: Job; json: boolean } {
  const { values } = parseArgs({
    args,
    options: {
      source: { type: 'string' },
      target: { type: 'string' },
      schema: { type: 'string', default: 'public' },
      exclude: { type: 'string', multiple: true, default: [] },
      workers: { type: 'string' },
      resume: { type: 'string' },
      cancel: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(help)
    process.exit(0)
  }
  if (values.resume !== undefined && values.cancel !== undefined)
    throw new UsageError('--resume or --cancel, not both.')
  const runId = values.resume ?? values.cancel
  if (runId === undefined && values.source === undefined) throw new UsageError('--source FILE is missing.')
  if (values.target === undefined)
    throw new UsageError('--target postgres://USER@HOST:PORT/DATABASE is missing.')
  const workers = values.workers === undefined ? undefined : Number(values.workers)
  if (workers !== undefined && !(Number.isInteger(workers) && workers >= 1 && workers <= 16)) {
    throw new UsageError(`--workers takes 1 to 16, not "${values.workers}".`)
  }
  const job: Job = {
    runId: runId ?? randomUUID(),
    source: values.source === undefined ? '' : resolve(values.source),
    target: parseTarget(values.target, values.schema),
    mode: 'create',
    exclude: values.exclude,
    ...(workers !== undefined && { workers }),
  }
  const action = values.cancel !== undefined ? 'cancel' : values.resume !== undefined ? 'resume' : 'start'
  return { action, job, json: values.json }
}

function parseTarget(text: string, schema: string): Target {
  const url = URL.parse?.(text) ?? (URL.canParse(text) ? new URL(text) : null)
  if (!url || !/^postgres(ql)?:$/.test(url.protocol) || url.pathname.length < 2) {
    throw new UsageError(`--target takes postgres://USER@HOST:PORT/DATABASE.`)
  }
  if (url.password !== '') {
    throw new UsageError(
      '--target holds a password, which other users of this machine can read: set PGPASSWORD instead.',
    )
  }
  // biome-ignore lint/style/noProcessEnv: who connects, and whom to trust; nothing else is read from it.
  const { PGPASSWORD, DB_PASSWORD, PGUSER, PGSSLROOTCERT, DB_SSL_CA } = process.env
  const mode = url.searchParams.get('sslmode') ?? 'disable'
  const user = decodeURIComponent(url.username) || PGUSER
  const authority = (
    [
      [url.searchParams.get('sslrootcert'), 'sslrootcert'],
      [PGSSLROOTCERT, 'PGSSLROOTCERT'],
      [DB_SSL_CA, 'DB_SSL_CA'],
    ] as const
  ).find((each): each is [string, (typeof each)[1]] => Boolean(each[0]))
  if (!user) throw new UsageError('--target names no user.')
  return {
    host: decodeURIComponent(url.hostname).replace(/^\[|\]$/g, '') || 'localhost',
    port: Number(url.port || 5432),
    database: decodeURIComponent(url.pathname.slice(1)),
    user,
    password: PGPASSWORD ?? DB_PASSWORD ?? '',
    schema,
    ...(mode !== 'disable' && { ssl: mode.startsWith('verify') ? true : ('no-verify' as const) }),
    ...(authority && { ca: readAuthority(...authority) }),
  }
}

try {
  process.exitCode = await run()
} catch (error) {
  const usage = error instanceof UsageError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS')
  const { message, remedy } = error as { message: string; remedy?: string }
  process.stderr.write(
    `${message}${remedy ? `\n${remedy}` : ''}\n${usage ? 'See npm run migrate -- --help\n' : ''}`,
  )
  process.exitCode = usage ? 2 : 1
}
