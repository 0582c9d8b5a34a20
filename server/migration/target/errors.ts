import { MigrationError } from '../failure'
import type { FailureCode, Target } from '../types'

type Place = Pick<Target, 'host' | 'port' | 'database' | 'user'>

/** One kind of error: what happened, and what to do about it. */
interface Kind {
  holds(code: string, message: string): boolean
  code: FailureCode
  what(place: string, target: Place, message: string): string
  remedy(target: Place): string
  /** Other than what is usual for the code. */
  heals?: boolean
}

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`

/** The first that holds. SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const KINDS: readonly Kind[] = [
  {
    holds: (code, message) => /^28/.test(code) || /password|SASL|SCRAM/i.test(message),
    code: 'TARGET_AUTHENTICATION',
    what: (place, { user }, message) => `${place} refused user ${user}: ${message}`,
    remedy: () => 'Check user and password, and that pg_hba.conf lets this host in.',
  },
  {
    holds: (code) => /^(SELF_SIGNED|DEPTH_ZERO|UNABLE_TO|CERT_|ERR_TLS_CERT)/.test(code),
    code: 'TARGET_UNREACHABLE',
    what: (place, _, message) =>
      `The certificate of ${place} is signed by nobody whom this machine trusts, or is another server's: ${message}`,
    remedy: () =>
      'Name the certificate of the authority that signed it in DB_SSL_CA, or ask for a certificate of this name.',
    heals: false,
  },
  {
    holds: (_, message) => /does not support SSL connections/.test(message),
    code: 'TARGET_UNREACHABLE',
    what: (place) => `${place} does not offer TLS.`,
    remedy: () => 'Set ssl = on with a certificate on the server, or connect without TLS.',
    heals: false,
  },
  {
    holds: (code) => code === '3D000' || code === '57P04',
    code: 'TARGET_UNREACHABLE',
    what: (place, { database }) => `${place} has no database ${database}.`,
    remedy: ({ database }) =>
      `Create it: CREATE DATABASE ${quoted(database)} ENCODING 'UTF8' TEMPLATE template0;`,
    heals: false,
  },
  {
    holds: (code) => code === '42501',
    code: 'TARGET_RIGHTS',
    what: (_, { user }, message) => `User ${user} may not do what the run needs: ${message}`,
    remedy: ({ database, user }) =>
      `As an owner of the database: GRANT CREATE ON DATABASE ${quoted(database)} TO ${quoted(user)};`,
  },
  {
    holds: (code, message) => code === '53100' || /No space left on device|Disk quota exceeded/.test(message),
    code: 'TARGET_FULL',
    what: (_, __, message) => `The target's disk is full: ${message}`,
    remedy: () => 'Free space on the database server: the run then goes on by itself.',
  },
  {
    holds: (code) => code === '55P03',
    code: 'TARGET_BUSY',
    what: (_, __, message) => `Another session holds a lock that the run needs: ${message}`,
    remedy: () =>
      'End that session or wait for it; pg_stat_activity shows who holds it. The run then goes on by itself.',
  },
  {
    holds: (code) => code === '53300',
    code: 'TARGET_BUSY',
    what: (place, _, message) => `${place} takes no more connections: ${message}`,
    remedy: () =>
      'End idle sessions or raise max_connections or the role’s connection limit. The run then goes on by itself.',
  },
  {
    holds: (code) => code === '53200',
    code: 'TARGET_BUSY',
    what: (place, _, message) => `${place} is out of memory: ${message}`,
    remedy: () => 'Give the server memory, or let it do less at once. The run then goes on by itself.',
  },
  {
    holds: (code) => code === '57014',
    code: 'TARGET_BUSY',
    what: (_, __, message) => `Somebody cancelled a statement of the run on the server: ${message}`,
    remedy: () => 'Pause or cancel the run here if it should not go on: it goes on by itself.',
  },
  {
    holds: (code) => code === '40P01' || code === '40001',
    code: 'TARGET_BUSY',
    what: (_, __, message) => `The run and another session waited for each other: ${message}`,
    remedy: () => 'Nothing: the run goes on by itself.',
  },
  {
    holds: (code, message) => code === '25006' || /recovery is in progress/.test(message),
    code: 'TARGET_READ_ONLY',
    what: (place, _, message) => `${place} takes no writes, as a replica does: ${message}`,
    remedy: () =>
      'Promote it, name the primary instead, or set default_transaction_read_only = off. The run then goes on by itself.',
  },
  {
    holds: (code) => code === '57P03',
    code: 'TARGET_UNREACHABLE',
    what: (place, _, message) => `${place} takes no connections at the moment: ${message}`,
    remedy: () => 'Wait until the server has started: the run then goes on by itself.',
  },
  {
    holds: (code, message) =>
      /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT)$/.test(code) ||
      /timeout expired/.test(message),
    code: 'TARGET_UNREACHABLE',
    what: (place, _, message) => `${place} doesn't answer: ${message}`,
    remedy: () => 'Check host and port, that PostgreSQL runs and listens there, and the firewall.',
  },
  {
    holds: (code, message) => isConnectionLoss({ code, message }),
    code: 'TARGET_LOST',
    what: (place, _, message) => `The connection to ${place} was lost: ${message}`,
    remedy: () => 'Bring the server back: the run then goes on by itself, and committed batches are kept.',
  },
]

/** Whether the connection or the server went away, so that committed batches stand and a resume can go on. */
export function isConnectionLoss(error: unknown): boolean {
  const { code = '', message = '' } = error as { code?: string; message?: string }
  return (
    /^(08|57P0)/.test(code) ||
    /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)$/.test(code) ||
    /Connection terminated|connection error and is not queryable|write after end|Client was closed/i.test(
      message,
    )
  )
}

/** A driver's or server's error as ours. */
export function targetError(error: unknown, target: Place): MigrationError {
  if (error instanceof MigrationError) return error
  const {
    code = '',
    message = String(error),
    where,
  } = error as {
    code?: string
    message?: string
    where?: string
  }
  if (/^(22|23)/.test(code)) return refusedValue(error, message, where)
  const kind = KINDS.find(({ holds }) => holds(code, message))
  if (kind) {
    const what = kind.what(`${target.host}:${target.port}`, target, message)
    return new MigrationError(kind.code, what, kind.remedy(target), { cause: error, heals: kind.heals })
  }
  return new MigrationError(
    'INTERNAL',
    `PostgreSQL answered: ${message}${code ? ` (SQLSTATE ${code})` : ''}`,
    'Resume or cancel the run, and report the message.',
    { cause: error },
  )
}

function refusedValue(error: unknown, message: string, where: string | undefined): MigrationError {
  const { table, column } = placeOf(where)
  const at = table ? ` in table ${table}${column ? `, column ${column}` : ''}` : ''
  return new MigrationError(
    'VALUE_REFUSED',
    `PostgreSQL refused a value${at}: ${message}`,
    'Correct the row in the source, or make a new plan from its present rows.',
    { table, column, cause: error },
  )
}

/** `COPY items, line 3, column price: "x"` names where a row was refused. */
function placeOf(where: string | undefined): { table?: string; column?: string } {
  const match = /^COPY (.+?), line \d+(?:, column (.+?))?(?::|,|$)/.exec(where ?? '')
  return { ...(match?.[1] && { table: match[1] }), ...(match?.[2] && { column: match[2] }) }
}
