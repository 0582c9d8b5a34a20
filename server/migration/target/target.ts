import pg from 'pg'
import { MigrationError } from '../failure'
import type { Target } from '../types'

/** Settings by which values are written and read the same whatever the server's or the role's defaults are. */
const SESSION = `
  SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres'; SET bytea_output = 'hex';
  SET extra_float_digits = 1; SET standard_conforming_strings = on; SET client_min_messages = warning;
  SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET lock_timeout = '15s';
  SET search_path = pg_catalog; SET jit = off; SET max_parallel_workers_per_gather = 0; SET tcp_keepalives_idle = 15; SET tcp_keepalives_interval = 5;
  SET tcp_keepalives_count = 3`

/** Opens one connection; a refused or failed one becomes a MigrationError with its remedy. Times out after 10 s. */
export async function connectTarget(target: Target, name = 'holdfast migration'): Promise<pg.Client> {
  const client = new pg.Client({
    host: target.host,
    port: target.port,
    database: target.database,
    user: target.user,
    password: target.password,
    application_name: name,
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    ssl: tlsOptions(target),
  })
  client.on('error', () => {}) // A connection lost between statements shows at the next one.
  try {
    await client.connect()
    await client.query(SESSION)
    return client
  } catch (error) {
    await client.end().catch(() => {})
    throw targetError(error, target)
  }
}

/** Verified by the authority that was configured, encrypted alone, or plain. */
function tlsOptions({ ssl, ca }: Target): pg.ClientConfig['ssl'] {
  if (!ssl) return false
  return ssl === 'no-verify' ? { rejectUnauthorized: false } : { rejectUnauthorized: true, ...(ca && { ca }) }
}

/** Ends a connection without waiting for a server that doesn't answer. */
export async function disconnect(client: pg.Client | undefined): Promise<void> {
  if (!client) return
  let timer: NodeJS.Timeout | undefined
  const patience = new Promise((resolve) => {
    timer = setTimeout(resolve, 2000)
  })
  await Promise.race([client.end().catch(() => {}), patience])
  clearTimeout(timer)
}

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

/** A driver's or server's error as ours (SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html). */
export function targetError(
  error: unknown,
  target: Pick<Target, 'host' | 'port' | 'database' | 'user'>,
): MigrationError {
  if (error instanceof MigrationError) return error
  const {
    code = '',
    message = String(error),
    where,
  } = error as { code?: string; message?: string; where?: string }
  const place = `${target.host}:${target.port}`
  const cause = { cause: error }
  if (/^28/.test(code) || /password|SASL|SCRAM/i.test(message)) {
    return new MigrationError(
      'TARGET_AUTHENTICATION',
      `${place} refused user ${target.user}: ${message}`,
      'Check user and password, and that pg_hba.conf lets this host in.',
      cause,
    )
  }
  if (/^(SELF_SIGNED|DEPTH_ZERO|UNABLE_TO|CERT_|ERR_TLS_CERT)/.test(code)) {
    return new MigrationError(
      'TARGET_UNREACHABLE',
      `The certificate of ${place} is signed by nobody whom this machine trusts, or is another server's: ${message}`,
      'Name the certificate of the authority that signed it in DB_SSL_CA, or ask for a certificate of this name.',
      cause,
    )
  }
  if (/does not support SSL connections/.test(message)) {
    return new MigrationError(
      'TARGET_UNREACHABLE',
      `${place} does not offer TLS.`,
      'Set ssl = on with a certificate on the server, or connect without TLS.',
      cause,
    )
  }
  if (code === '3D000') {
    return new MigrationError(
      'TARGET_UNREACHABLE',
      `${place} has no database ${target.database}.`,
      `Create it: CREATE DATABASE "${target.database}" ENCODING 'UTF8' TEMPLATE template0;`,
      cause,
    )
  }
  if (code === '42501') {
    return new MigrationError(
      'TARGET_RIGHTS',
      `User ${target.user} may not do what the run needs: ${message}`,
      `As an owner of the database: GRANT CREATE ON DATABASE "${target.database}" TO "${target.user}";`,
      cause,
    )
  }
  if (code === '53100') {
    return new MigrationError(
      'TARGET_FULL',
      `The target's disk is full: ${message}`,
      'Free space on the database server, then resume.',
      cause,
    )
  }
  if (code === '55P03') {
    return new MigrationError(
      'TARGET_LOST',
      `Another session holds a lock that the run needs: ${message}`,
      'End that session or wait for it, then resume.',
      cause,
    )
  }
  if (/^(22|23)/.test(code)) {
    const { table, column } = placeOf(where)
    const at = table ? ` in table ${table}${column ? `, column ${column}` : ''}` : ''
    return new MigrationError(
      'VALUE_REFUSED',
      `PostgreSQL refused a value${at}: ${message}`,
      'Correct the row in the source, or make a new plan from its present rows.',
      { table, column, cause: error },
    )
  }
  if (
    /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT)$/.test(code) ||
    /timeout expired/.test(message)
  ) {
    return new MigrationError(
      'TARGET_UNREACHABLE',
      `${place} doesn't answer: ${message}`,
      'Check host and port, that PostgreSQL runs and listens there, and the firewall.',
      cause,
    )
  }
  if (isConnectionLoss(error)) {
    return new MigrationError(
      'TARGET_LOST',
      `The connection to ${place} was lost: ${message}`,
      'Bring the server back, then resume: committed batches are kept.',
      cause,
    )
  }
  return new MigrationError(
    'INTERNAL',
    `PostgreSQL answered: ${message}${code ? ` (SQLSTATE ${code})` : ''}`,
    'Resume or cancel the run, and report the message.',
    cause,
  )
}

/** `COPY items, line 3, column price: "x"` names where a row was refused. */
function placeOf(where: string | undefined): { table?: string; column?: string } {
  const match = /^COPY (.+?), line \d+(?:, column (.+?))?(?::|,|$)/.exec(where ?? '')
  return { ...(match?.[1] && { table: match[1] }), ...(match?.[2] && { column: match[2] }) }
}
