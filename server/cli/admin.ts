import { text } from 'node:stream/consumers'
import { z } from 'zod'
import type { Store } from '@/db/store'
import { system } from '@/server/audit'
import { systemClock } from '@/server/clock'
import { loadEnv } from '@/server/env'
import { isHoldfastError } from '@/server/errors'
import { openLog } from '@/server/log'
import { signLog } from '@/server/open-audit'
import { openStore } from '@/server/open-store'
import { openSecurity, type Security } from '@/server/security'
import { liftBlocks } from '@/server/security/limits'
import { passwordLength } from '@/server/security/passwords/passwords'
import { readArgs, UsageError } from './common/usage'

const help = `Usage: npm run admin -- COMMAND --email ADDRESS
       npm run admin -- unblock ADDRESS

  create          Makes a user who can sign in at once. The password is read from standard input, one
                  line; it has ${passwordLength.least} characters or more.
                  --name NAME, --role admin|operator|viewer (admin if it is left out)
  reset-password  Takes a user's password away, ends the sessions, and prints a link that works once and
                  asks for a new one.
  reset-factor    Takes a user's authenticator app, passkeys and backup codes away, and ends the sessions:
                  for an admin who lost the phone and whom no other admin can help.
  unblock         Lifts every block that an IP address or network is under: for an admin who is locked out.

  printf '%s' "$PASSWORD" | npm run admin -- create --email ana@example.org
  npm run admin -- reset-factor --email ana@example.org
  npm run admin -- unblock 203.0.113.9

The console may be running meanwhile. Each of them is in the audit log, as done by 'command line'.
Exit status: 0 done, 1 not done (the reason is printed), 2 wrong arguments.
`

const email = z.email({ error: '--email takes an e-mail address' }).max(254)
const arguments_ = {
  create: z.strictObject({
    email,
    name: z.string().trim().min(1).max(100).optional(),
    role: z
      .enum(['admin', 'operator', 'viewer'], { error: '--role takes admin, operator or viewer' })
      .default('admin'),
  }),
  'reset-password': z.strictObject({ email }, { error: 'reset-password takes --email alone' }),
  'reset-factor': z.strictObject({ email }, { error: 'reset-factor takes --email alone' }),
}

async function run(): Promise<void> {
  const act = await parse(process.argv.slice(2))
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
    console.log(await act(security.machine, env.HOLDFAST_URL, store))
    await signLog(env, { store, vault, clock: systemClock, log, database: () => database })
  } finally {
    await database.close()
  }
}

/** What is to be done; it answers what to say about it. */
type Act = (machine: Security['machine'], url: string, store: Store) => Promise<string>

const by = { ...system, actor: 'command line' }

async function parse(args: string[]): Promise<Act> {
  const { values, positionals } = parseOptions(args)
  const { help: asked, ...given } = values
  if (asked) {
    process.stdout.write(help)
    process.exit(0)
  }
  const [command, address, ...more] = positionals
  if (command === 'unblock') {
    if (address === undefined || more.length > 0 || Object.keys(given).length > 0)
      throw new UsageError('unblock takes an address alone')
    return async (_machine, _url, store) =>
      unblocked(address, await liftBlocks({ store, clock: systemClock }, address, by))
  }
  switch (positionals.join(' ')) {
    case 'create': {
      const { name, role, email } = checked(arguments_.create, given)
      const user = { email, role, name: name ?? email.replace(/@.*/, ''), password: await readPassword() }
      return async (machine, url) => {
        await machine.createUser(user, by)
        return `Made the ${role} ${email}. Sign in at ${url}/sign-in`
      }
    }
    case 'reset-password': {
      const user = checked(arguments_['reset-password'], given)
      return async (machine) => {
        const { link, expiresAt } = await machine.resetPassword(user, by)
        return `The password of ${user.email} is void. Until ${new Date(expiresAt).toISOString()}, this link asks for a new one, once:\n${link}`
      }
    }
    case 'reset-factor': {
      const user = checked(arguments_['reset-factor'], given)
      return async (machine) => {
        await machine.resetFactor(user, by)
        return `${user.email} has no second factor now, and is signed out everywhere.`
      }
    }
    default:
      throw new UsageError('The commands are: create, reset-password, reset-factor, unblock')
  }
}

function unblocked(address: string, networks: string[]): string {
  if (networks.length === 0) return `${address} is not blocked.`
  const wider = networks.filter((network) => network !== address)
  const also = wider.length === 0 ? '' : ` Lifted with it: ${wider.join(', ')}.`
  return `${address} is not blocked any more. Consoles let it in within a second.${also}`
}

function checked<T>(schema: z.ZodType<T>, given: unknown): T {
  const result = schema.safeParse(given)
  if (!result.success) throw new UsageError(result.error.issues[0]?.message ?? 'wrong arguments')
  return result.data
}

function parseOptions(args: string[]) {
  return readArgs({
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
  if (isHoldfastError(error)) return [message, error.remedy].filter(Boolean).join(' ')
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
