import { Client, type ClientConfig } from 'pg'
import { tlsOptions } from '../tls'
import type { FullConfig } from './config'

/**
 * A transaction whose console says nothing for so long is ended by the server: one that hangs, or whose machine is
 * gone, would keep its locks, and every other console would wait until its pool is used up and proxies leave it out.
 * A unit that was merely slow is run again.
 */
const SILENT_MS = 3_000

/** What the first connection tells about what stands between. */
export interface Surroundings {
  /** The backend that answers is not the one that the connection was told of: a pooler stands between. */
  pooler: boolean
}

/**
 * Connects a client. PgBouncer refuses start-up options: then the schema must come from the role.
 * Errors after the connection reach `lost`, never the process.
 */
export async function openClient(config: FullConfig, lost: (error?: unknown) => void): Promise<Client> {
  try {
    return await attempt(config, lost, true)
  } catch (error) {
    if (!config.schema || !/unsupported startup parameter.*options/.test((error as Error).message))
      throw error
  }
  const client = await attempt(config, lost, false)
  const { rows } = await client.query('SELECT current_schema() AS schema')
  if (rows[0]?.schema === config.schema) return client
  void client.end().catch(() => {})
  throw Object.assign(new Error('A pooler refuses to set search_path.'), { code: 'SEARCH_PATH' })
}

async function attempt(
  config: FullConfig,
  lost: (error?: unknown) => void,
  options: boolean,
): Promise<Client> {
  const { host, port, database, user, password, ssl, ca, schema, connectTimeout } = config
  const given: ClientConfig = {
    host,
    port,
    database,
    user,
    password,
    ssl: tlsOptions(host, ssl, ca),
    connectionTimeoutMillis: connectTimeout,
    keepAlive: true,
    application_name: 'holdfast',
    ...(schema && options ? { options: `-c search_path=${schema.replace(/[\\ ]/g, '\\$&')}` } : {}),
  }
  const client = new Client(given)
  // Without a listener an error between two queries would end the process.
  client.on('error', lost)
  client.on('end', () => lost())
  try {
    await client.connect()
  } catch (error) {
    void client.end().catch(() => {})
    throw error
  }
  return client
}

/**
 * Asks who answers. Behind a pooler the key that the connection was given is not the backend's process id.
 * A server that doesn't answer within `milliseconds` counts as not connected.
 */
export async function readSurroundings(client: Client, milliseconds: number): Promise<Surroundings> {
  const inner = client as unknown as { processID: number; connection: { stream: { destroy(): void } } }
  const timer = setTimeout(() => inner.connection.stream.destroy(), milliseconds)
  try {
    const { rows } = await client.query('SELECT pg_backend_pid() AS pid')
    return { pooler: rows[0]?.pid !== inner.processID }
  } finally {
    clearTimeout(timer)
  }
}

/** Bounds how long a transaction may rest, in a session of the server itself: behind a pooler the role says so. */
export async function boundSilence(client: Client): Promise<void> {
  await client.query(`SET idle_in_transaction_session_timeout = ${SILENT_MS}`)
}
