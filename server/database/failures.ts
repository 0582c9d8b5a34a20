import { databaseCode } from '@/db/errors'
import { HoldfastError, isHoldfastError } from '@/server/errors'

interface Place {
  host: string
  port: number
  database?: string
  user?: string
  max?: number
  acquireTimeout?: number
}

/** Whether an error means that the connection or the server is gone, not that the statement was wrong. */
export function isLost(error: unknown): boolean {
  const code = databaseCode(error)
  if (code === undefined) {
    const message = error instanceof Error ? error.message : ''
    return /Connection terminated|not queryable|connection error|timeout expired/i.test(message)
  }
  // Class 08: connection exceptions; 57P01–57P03: the server shuts down, crashed or starts.
  return /^(08...|57P0[123])$/.test(code) || /^E[A-Z]+$/.test(code)
}

export function unavailable(place: Place, cause: unknown): HoldfastError {
  return new HoldfastError(
    'DATABASE_UNAVAILABLE',
    {
      message: `The connection to PostgreSQL at ${place.host}:${place.port} was lost.`,
      remedy: 'Check that the server runs. Holdfast reconnects by itself.',
      retryAfterMs: 1_000,
      details: { reason: 'lost' },
    },
    { cause },
  )
}

/** What a caller gets whose statement was never sent, because the server is away or must not be used. */
export function cutOff(place: Place): HoldfastError {
  return new HoldfastError('DATABASE_UNAVAILABLE', {
    message: `PostgreSQL at ${place.host}:${place.port} does not answer.`,
    remedy: 'Check that the server runs. Holdfast keeps trying.',
    retryAfterMs: 1_000,
    details: { reason: 'not-sent' },
  })
}

/** Whether the connection broke under a statement: it may have been executed or not. */
export function wasLost(error: unknown): boolean {
  return reasonOf(error) === 'lost'
}

/** Whether the server surely never got a statement. */
export function wasNotSent(error: unknown): boolean {
  return reasonOf(error) === 'not-sent'
}

function reasonOf(error: unknown): unknown {
  return isHoldfastError(error) ? error.details?.reason : undefined
}

export function acquireTimeout(place: Place, cause: unknown): HoldfastError {
  const waited = `${(place.acquireTimeout ?? 0) / 1000} s`
  return new HoldfastError(
    'DATABASE_UNAVAILABLE',
    cause === undefined
      ? {
          message: `No database connection came free within ${waited}: all ${place.max} are in use.`,
          remedy: 'Look for long transactions on the Database page, or raise DB_POOL_MAX.',
          retryAfterMs: 1_000,
        }
      : {
          message: `PostgreSQL at ${place.host}:${place.port} could not be reached within ${waited}.`,
          remedy: 'Check that the server runs and accepts connections. Holdfast keeps trying.',
          retryAfterMs: 1_000,
        },
    { cause },
  )
}

/** What a caller gets whose statement met its deadline, after `milliseconds`. A write may have happened or not. */
export function statementTimeout(place: Place, milliseconds: number): HoldfastError {
  return new HoldfastError('DATABASE_UNAVAILABLE', {
    message: `PostgreSQL at ${place.host}:${place.port} did not answer a statement within ${(milliseconds / 1000).toFixed(1)} s; it is being cancelled.`,
    remedy: 'Look for slow statements and locks on the Database page, or raise DB_QUERY_TIMEOUT.',
    retryAfterMs: 1_000,
    details: { reason: 'deadline' },
  })
}

export function queueFull(place: Place): HoldfastError {
  return new HoldfastError('DATABASE_UNAVAILABLE', {
    message: `All ${place.max} database connections are in use and too many callers wait already.`,
    remedy: 'Try again in a moment. If it lasts, raise DB_POOL_MAX.',
    retryAfterMs: 1_000,
  })
}

export function poolClosed(): HoldfastError {
  return new HoldfastError('SHUTTING_DOWN', 'The database connection is being closed.')
}

/** Whether another try would fail the same way: the server answered, and refuses this role or database. */
export function isLasting(error: unknown): boolean {
  return /^(28...|3D000|42501)$/.test(databaseCode(error) ?? '')
}

export function cannotConnect(place: Place, cause: unknown): HoldfastError {
  const { detail, remedy } = explainFailure(place, cause)
  return new HoldfastError(
    'DATABASE_UNAVAILABLE',
    { message: `PostgreSQL at ${place.host}:${place.port} can't be used. ${detail}`, remedy },
    { cause },
  )
}

/** What a failed attempt to connect means and what to do, by the codes of DNS, TCP, TLS and PostgreSQL. */
export function explainFailure(place: Place, error: unknown): { detail: string; remedy: string } {
  const { host, port, database = 'the database', user = 'the role' } = place
  const code = databaseCode(error) ?? (error instanceof Error ? error.name : 'UNKNOWN')
  const known: Record<string, [detail: string, remedy: string]> = {
    ENOTFOUND: [`No address is known for ${host}.`, 'Check the spelling of the host and the DNS.'],
    EAI_AGAIN: [`The DNS did not answer for ${host}.`, "Check this machine's DNS and try again."],
    ECONNREFUSED: [
      `Nothing listens on ${host}, port ${port}.`,
      'Check that PostgreSQL runs, its port, and listen_addresses.',
    ],
    EHOSTUNREACH: unroutable(host),
    ENETUNREACH: unroutable(host),
    ETIMEDOUT: silent,
    ABORT_ERR: silent,
    AbortError: silent,
    ECONNRESET: closed,
    '28P01': [`The password of ${user} is wrong.`, 'Correct the password, or the role.'],
    '28000': [
      `The server refuses ${user} from here.`,
      `Add a line for ${user}, ${database} and this address to pg_hba.conf, or create the role.`,
    ],
    '3D000': [`The database ${database} does not exist.`, `CREATE DATABASE "${database}" on the server.`],
    '42501': [
      `${user} may not connect to ${database}.`,
      `GRANT CONNECT ON DATABASE "${database}" TO "${user}".`,
    ],
    '53300': ['The server admits no more connections.', 'Raise max_connections, or end unused sessions.'],
    '57P03': ['The server is starting or shutting down.', 'Try again in a moment.'],
    SEARCH_PATH: [
      'The pooler refuses the search_path, and the role has another one.',
      `ALTER ROLE "${user}" SET search_path = …, or add options to ignore_startup_parameters of the pooler.`,
    ],
    SELF_SIGNED_CERT_IN_CHAIN: untrusted,
    DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
    UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
    UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
    CERT_HAS_EXPIRED: ["The server's certificate has expired.", 'Renew it.'],
    ERR_TLS_CERT_ALTNAME_INVALID: [
      `The server's certificate is for another name than ${host}.`,
      'Use the name in the certificate, or have one made for this name.',
    ],
  }
  const message = error instanceof Error ? error.message : ''
  const [detail, remedy] = known[code] ??
    byMessage(message) ?? [
      `The attempt to connect ended with ${code}.`,
      "Look the code up in PostgreSQL's manual, and into the server's log.",
    ]
  return { detail, remedy }
}

/** What pg tells in words alone. */
function byMessage(message: string): [detail: string, remedy: string] | undefined {
  if (/does not support SSL/.test(message)) return noTls
  if (/timeout/.test(message)) return silent
  return /terminated/.test(message) ? closed : undefined
}

const unroutable = (host: string): [string, string] => [
  `There is no route to ${host}.`,
  'Check the network and firewalls.',
]
const closed: [string, string] = ['The server closed the connection.', "Look into the server's log."]
const silent: [string, string] = [
  'The server did not answer in time.',
  'Check firewalls, and that the server is not hung.',
]
const noTls: [string, string] = [
  'The server does not offer TLS.',
  'Set ssl = on with a certificate on the server, or switch TLS off here.',
]
const untrusted: [string, string] = [
  "The server's certificate is signed by nobody that this machine trusts.",
  "Set DB_SSL_CA to its authority's certificate in PEM and restart.",
]
