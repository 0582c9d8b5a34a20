import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { Client } from 'pg'
import { quoteName } from './advisor/normalise'
import { explainFailure } from './failures'
import { missingRights } from './inspect/postgres-sessions'
import { missingStatements } from './inspect/postgres-statements'
import type { PostgresConfig } from './pool/pool'
import { tlsOptions } from './tls'

/** A server to be tried; `ca`: the authority that DB_SSL_CA names. */
export type TestTarget = Omit<PostgresConfig, 'schema'>

export type TestStepId =
  | 'dns'
  | 'tcp'
  | 'tls'
  | 'authentication'
  | 'version'
  | 'rights'
  | 'activity'
  | 'statements'
  | 'round-trip'
  | 'recovery'

/** `warning` works but wants attention; after the first `failed` the rest is `skipped`. */
export type TestStepState = 'ok' | 'warning' | 'failed' | 'skipped'

export interface TestStep {
  id: TestStepId
  title: string
  state: TestStepState
  /** What was found, in one sentence. */
  detail: string
  remedy?: string
  milliseconds?: number
}

export interface ConnectionTest {
  ok: boolean
  steps: TestStep[]
}

const STEP_TIMEOUT = 5_000
/** Oldest PostgreSQL that is still known to work: 13 left support in November 2025. */
const OLDEST_VERSION = 130_000

const TITLES: Record<TestStepId, string> = {
  dns: 'Name',
  tcp: 'TCP',
  tls: 'TLS',
  authentication: 'Authentication',
  version: 'Version',
  rights: 'Rights',
  activity: 'Activity',
  statements: 'Statements',
  'round-trip': 'Round trip',
  recovery: 'Recovery',
}

type Finding = Pick<TestStep, 'detail' | 'remedy'> & { state?: TestStepState }

/** Tries a PostgreSQL server step by step and tells, for the first one that fails, what to do. Never throws. */
export async function testConnection(target: TestTarget): Promise<ConnectionTest> {
  const steps: TestStep[] = []
  let socket: Socket | undefined
  let client: Client | undefined
  const step = async (id: TestStepId, run: () => Promise<Finding>) => {
    if (steps.some(({ state }) => state === 'failed')) {
      steps.push({ id, title: TITLES[id], state: 'skipped', detail: 'Not reached.' })
      return
    }
    const start = performance.now()
    const { state = 'ok', ...found } = await run().catch(
      (error): Finding => ({ state: 'failed', ...explainFailure(target, error) }),
    )
    steps.push({ id, title: TITLES[id], state, milliseconds: performance.now() - start, ...found })
  }
  try {
    await step('dns', () => resolveName(target))
    await step('tcp', async () => {
      socket = await openSocket(target)
      return { detail: `Connected to ${socket.remoteAddress ?? target.host}, port ${target.port}.` }
    })
    await step('tls', () => negotiate(target, socket as Socket))
    await step('authentication', async () => {
      client = new Client({
        ...target,
        ssl: tlsOptions(target.host, target.ssl, target.ca),
        connectionTimeoutMillis: STEP_TIMEOUT,
        query_timeout: STEP_TIMEOUT,
        application_name: 'holdfast connection test',
      })
      client.on('error', () => {})
      await client.connect()
      return { detail: `Signed in to ${target.database} as ${target.user}.` }
    })
    await step('version', () => checkVersion(client as Client))
    await step('rights', () => checkRights(client as Client))
    await step('activity', () => checkActivity(client as Client))
    await step('statements', () => checkStatements(client as Client, target))
    await step('round-trip', () => measure(client as Client))
    await step('recovery', () => checkRecovery(client as Client))
  } finally {
    socket?.destroy()
    await client?.end().catch(() => {})
  }
  return { ok: steps.every(({ state }) => state === 'ok' || state === 'warning'), steps }
}

async function resolveName({ host }: TestTarget): Promise<Finding> {
  if (isIP(host)) return { detail: `${host} is an address; no name to look up.` }
  const found = await lookup(host, { all: true })
  return { detail: `${host} is ${found.map(({ address }) => address).join(', ')}.` }
}

async function openSocket({ host, port }: TestTarget): Promise<Socket> {
  const socket = connectTcp({ host, port })
  socket.on('error', () => {})
  await once(socket, 'connect', { signal: AbortSignal.timeout(STEP_TIMEOUT) }).catch((error) => {
    socket.destroy()
    throw error
  })
  return socket
}

/** Asks for TLS as the protocol says: an SSLRequest, answered by S or N (PostgreSQL manual, 55.2.11). */
async function negotiate(target: TestTarget, socket: Socket): Promise<Finding> {
  socket.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]))
  const [answer] = (await once(socket, 'data', { signal: AbortSignal.timeout(STEP_TIMEOUT) })) as [Buffer]
  const letter = String.fromCharCode(answer[0] ?? 0)
  if (letter !== 'S' && letter !== 'N') {
    return {
      state: 'failed',
      detail: 'What answers there is not PostgreSQL.',
      remedy: 'Check host and port.',
    }
  }
  if (!target.ssl) {
    return letter === 'S'
      ? {
          state: 'warning',
          detail: 'The server offers TLS, but plain was asked for.',
          remedy: 'Switch TLS on.',
        }
      : { detail: 'Plain: neither asked for nor offered.' }
  }
  if (letter === 'N') {
    return {
      state: 'failed',
      detail: 'The server does not offer TLS.',
      remedy: 'Set ssl = on with a certificate on the server, or switch TLS off here.',
    }
  }
  // The host is what the certificate is compared with where it is an address: those have no server name.
  const secure = connectTls({
    socket,
    host: target.host,
    ...(tlsOptions(target.host, target.ssl, target.ca) as ConnectionOptions),
  })
  secure.on('error', () => {})
  await once(secure, 'secureConnect', { signal: AbortSignal.timeout(STEP_TIMEOUT) })
  const { subject, valid_to } = secure.getPeerCertificate()
  const verified = target.ssl === 'no-verify' ? 'not verified' : 'verified'
  return {
    state: target.ssl === 'no-verify' ? 'warning' : 'ok',
    detail: `${secure.getProtocol()}, certificate of ${subject?.CN ?? 'an unnamed subject'} ${verified}, valid to ${valid_to}.`,
    ...(target.ssl === 'no-verify' ? { remedy: 'Verify the certificate, or anybody could answer.' } : {}),
  }
}

async function checkVersion(client: Client): Promise<Finding> {
  const { version, number } = await ask<{ version: string; number: string }>(
    client,
    `SELECT current_setting('server_version') AS version, current_setting('server_version_num') AS number`,
  )
  return judgeVersion(version, Number(number))
}

/** @param number as `server_version_num` has it: 150004 is 15.4. */
export function judgeVersion(version: string, number: number): Finding {
  return number < OLDEST_VERSION
    ? {
        state: 'failed',
        detail: `PostgreSQL ${version} is too old.`,
        remedy: 'Upgrade the server to PostgreSQL 13 or newer.',
      }
    : { detail: `PostgreSQL ${version}.` }
}

async function checkRights(client: Client): Promise<Finding> {
  const row = await ask<{ create: boolean; schema: boolean | null; name: string; database: string }>(
    client,
    `SELECT has_database_privilege(current_database(), 'CREATE') AS create,
            has_schema_privilege(current_schema(), 'CREATE')     AS schema,
            current_user AS name, current_database() AS database`,
  )
  return row.create || row.schema
    ? { detail: `${row.name} may create tables.` }
    : {
        state: 'failed',
        detail: `${row.name} may not create tables or schemas here.`,
        remedy: `GRANT CREATE ON DATABASE ${quoteName(row.database)} TO ${quoteName(row.name)}, as its owner.`,
      }
}

async function checkActivity(client: Client): Promise<Finding> {
  const missing = await missingRights((text) => rowsOf(client, text))
  return missing
    ? { state: 'warning', detail: missing.message, ...(missing.remedy ? { remedy: missing.remedy } : {}) }
    : { detail: 'The sessions of the whole server can be seen.' }
}

async function checkStatements(client: Client, { user }: TestTarget): Promise<Finding> {
  await client.query('BEGIN TRANSACTION READ ONLY')
  const missing = await missingStatements((text, values) => rowsOf(client, text, values), user)
  await client.query('ROLLBACK')
  return missing
    ? { state: 'warning', detail: missing.message, ...(missing.remedy ? { remedy: missing.remedy } : {}) }
    : { detail: 'pg_stat_statements counts the statements of all clients.' }
}

async function measure(client: Client): Promise<Finding> {
  const times: number[] = []
  for (let n = 0; n < 5; n++) {
    const start = performance.now()
    await client.query('SELECT 1')
    times.push(performance.now() - start)
  }
  const median = times.sort((a, b) => a - b)[2] as number
  const shown = `${median.toFixed(median < 10 ? 2 : 0)} ms, median of five.`
  return median > 50
    ? {
        state: 'warning',
        detail: shown,
        remedy: 'Run Holdfast nearer to the database: every query pays this.',
      }
    : { detail: shown }
}

async function checkRecovery(client: Client): Promise<Finding> {
  const { standby } = await ask<{ standby: boolean }>(client, 'SELECT pg_is_in_recovery() AS standby')
  return standby
    ? {
        state: 'failed',
        detail: 'This is a replica: it takes reads alone.',
        remedy: 'Name the primary.',
      }
    : { detail: 'Primary: takes reads and writes.' }
}

async function ask<Row>(client: Client, sql: string): Promise<Row> {
  return (await rowsOf(client, sql))[0] as Row
}

async function rowsOf(client: Client, sql: string, values?: unknown[]): Promise<Record<string, unknown>[]> {
  return (await client.query(sql, values)).rows
}
