import { text } from 'node:stream/consumers'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { system } from '@/server/audit'
import { systemClock } from '@/server/clock'
import { loadEnv } from '@/server/env'
import { openLog } from '@/server/log'
import { openStore } from '@/server/open-store'
import { openSecurity } from '@/server/security'
import { passwordLength } from '@/server/security/passwords'

const help = `Usage: npm run admin -- create --email ADDRESS [--name NAME] [--role admin|operator|viewer]

Makes a user who can sign in at once. The password is read from standard input, one line:

  printf '%s' "$PASSWORD" | npm run admin -- create --email ana@example.org

It has ${passwordLength.least} characters or more. The console may be running meanwhile.
Exit status: 0 made, 1 not made (the reason is printed), 2 wrong arguments.
`

const arguments_ = z.object({
  email: z.email({ error: '--email takes an e-mail address' }).max(254),
  name: z.string().trim().min(1).max(100).optional(),
  role: z.enum(['admin', 'operator', 'viewer'], { error: '--role takes admin, operator or viewer' }),
})

/** Wrong arguments: exit status 2. */
class UsageError extends Error {}

async function run(): Promise<void> {
  const { email, name, role } = parse(process.argv.slice(2))
  const password = await readPassword()
  const { length } = [...password]
  if (length < passwordLength.least || length > passwordLength.most) {
    throw new Error(
      `The password has ${length} characters; it takes ${passwordLength.least} to ${passwordLength.most}.`,
    )
  }
  const env = loadEnv()
  const log = openLog(env.LOG_LEVEL)
  const { store, vault, database } = await openStore(env, log, { serving: false })
  try {
    const security = openSecurity(
      { store, vault, clock: systemClock, log },
      {
        accessMs: env.JWT_ACCESS_EXPIRES_IN,
        refreshMs: env.JWT_REFRESH_EXPIRES_IN,
        jwtSecret: env.JWT_SECRET,
        url: env.HOLDFAST_URL,
      },
    )
    const user = { email, role, password, name: name ?? email.replace(/@.*/, '') }
    await security.createUser(user, { ...system, actor: 'command line' })
    console.log(`Made the ${role} ${email}. Sign in at ${env.HOLDFAST_URL}/sign-in`)
  } finally {
    await database.close()
  }
}

function parse(args: string[]) {
  let parsed: ReturnType<typeof parseOptions>
  try {
    parsed = parseOptions(args)
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
  const { values, positionals } = parsed
  if (values.help) {
    process.stdout.write(help)
    process.exit(0)
  }
  if (positionals.join(' ') !== 'create') throw new UsageError('The one command is: create')
  const checked = arguments_.safeParse({ ...values, role: values.role ?? 'admin' })
  if (!checked.success) throw new UsageError(checked.error.issues[0]?.message ?? 'wrong arguments')
  return checked.data
}

function parseOptions(args: string[]) {
  return parseArgs({
    args,
    allowPositionals: true,
    options: {
      email: { type: 'string' },
      name: { type: 'string' },
      role: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  })
}

/** One line of standard input; asked for without echo at a terminal. */
async function readPassword(): Promise<string> {
  if (process.stdin.isTTY) return askPassword()
  return (await text(process.stdin)).split(/\r?\n/)[0] ?? ''
}

function askPassword(): Promise<string> {
  const { stdin, stderr } = process
  stderr.write('Password: ')
  stdin.setRawMode(true)
  stdin.setEncoding('utf8')
  return new Promise((resolve) => {
    let typed = ''
    const finish = () => {
      stdin.setRawMode(false)
      stdin.pause()
      stderr.write('\n')
    }
    stdin.on('data', (chunk: string) => {
      for (const key of chunk) {
        if (key === '\r' || key === '\n' || key === '\u0004') {
          finish()
          resolve(typed)
          return
        }
        if (key === '\u0003') {
          finish()
          process.exit(130)
        }
        typed = key === '\u007f' || key === '\b' ? typed.slice(0, -1) : typed + key
      }
    })
  })
}

/** A failed query's message holds what was bound to it, so its code stands for it. */
function shown(error: unknown): string {
  const { message, cause } = error as Error
  if (!Object.hasOwn(error as object, 'query')) return message
  return `The store could not be written (${(cause as { code?: string })?.code ?? 'unknown error'}).`
}

try {
  await run()
} catch (error) {
  console.error(shown(error))
  if (error instanceof UsageError) console.error('See: npm run admin -- --help')
  process.exitCode = error instanceof UsageError ? 2 : 1
}
