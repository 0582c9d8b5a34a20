import type { Socket } from 'node:net'
import pg from 'pg'
import type { Target } from '../types'
import { targetError } from './errors'

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
    keepAliveInitialDelayMillis: 10_000,
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

/** Whether the server or the network has closed a connection. */
export function isGone(client: pg.Client): boolean {
  return socketOf(client)?.destroyed === true
}

/** Whether everything that was written to a connection is with the system, so that no buffer of it is read any more. */
export function isSent(client: pg.Client): boolean {
  return socketOf(client)?.writableLength === 0
}

function socketOf(client: pg.Client): Socket | undefined {
  return (client as unknown as { connection?: { stream?: Socket } }).connection?.stream
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
