import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { z } from 'zod'
import { backupVariables } from './env-backup'
import { cacheMistake, cacheVariables } from './env-cache'
import { defenceVariables } from './env-defence'
import { tracingVariables } from './env-tracing'
import { flag, key32, list, milliseconds, origin, port, size, span, text, whole } from './env-values'
import { type Variable, variable } from './env-variable'

/** Raised when the configuration cannot be read or used; the message is ready to be shown. */
export class ConfigurationError extends Error {
  override name = 'ConfigurationError'
}

/** Variables as text, by name. */
type Given = Record<string, string | undefined>

/** Every variable that Holdfast reads. The README's table and the System page are made from it. */
export const variables = {
  PORT: variable(port().default(3000), 'a port, 1 to 65535', 'Port on which the console listens', {
    shown: '3000',
  }),
  HOST: variable(
    text().default('127.0.0.1'),
    'a host name or address',
    'Address on which the console listens',
    { shown: '127.0.0.1' },
  ),
  HOLDFAST_URL: variable(
    origin().optional(),
    'an origin such as https://holdfast.example.org',
    'Public origin: links, cookies and Origin checks derive from it',
    { shown: 'http://localhost:PORT' },
  ),
  HOLDFAST_DATA_DIR: variable(
    text().default('./data'),
    'a folder',
    'Folder of the SQLite store, the master key and uploads',
    { shown: './data' },
  ),
  HOLDFAST_MASTER_KEY: variable(
    key32().optional(),
    '32 bytes in base64',
    'Master key; all instances share it. Without it, master.key in the data folder',
    { secret: true },
  ),
  HOLDFAST_MASTER_KEYS_PREVIOUS: variable(
    list()
      .refine((keys) => keys.every((key) => Buffer.from(key, 'base64').length === 32))
      .default([]),
    'keys of 32 bytes in base64, separated by commas',
    'Earlier master keys that still open what they sealed',
    { secret: true },
  ),
  TRUSTED_PROXIES: variable(
    list().default([]),
    'addresses or networks (10.0.0.0/8), separated by commas',
    'Proxies whose X-Forwarded-For is believed',
  ),
  METRICS_TOKEN: variable(
    text().optional(),
    'a token',
    'Bearer token for /api/metrics; without it only this machine may read them',
    { secret: true },
  ),
  LOG_LEVEL: variable(
    z.enum(['debug', 'info', 'warn', 'error']).default('warn'),
    'debug, info, warn or error',
    'Least level of log lines on standard error',
    { shown: 'warn' },
  ),
  LOG_REQUESTS: variable(
    z.enum(['debug', 'info', 'off']).default('debug'),
    'debug, info or off',
    'Level of the line that each answered request leaves in the log',
    { shown: 'debug' },
  ),
  DB_TYPE: variable(
    z.enum(['sqlite', 'postgresql']).optional(),
    'sqlite or postgresql',
    'Where the store lives',
    { shown: 'sqlite' },
  ),
  DB_HOST: variable(
    text().optional(),
    'a host name or address',
    'PostgreSQL server: the store’s, or the target of a migration',
  ),
  DB_PORT: variable(port().default(5432), 'a port, 1 to 65535', 'Port of PostgreSQL', { shown: '5432' }),
  DB_NAME: variable(text().default('holdfast'), 'a database name', 'Database', { shown: 'holdfast' }),
  DB_USER: variable(text().default('holdfast'), 'a role name', 'Role to connect as', { shown: 'holdfast' }),
  DB_PASSWORD: variable(z.string().optional(), 'a password', 'Password of the role', { secret: true }),
  DB_SSL: variable(flag().default(false), 'true or false', 'Connect to PostgreSQL over TLS, verified', {
    shown: 'false',
  }),
  DB_SSL_CA: variable(
    text().optional(),
    'a file in PEM',
    'Certificate of the authority that signed the server’s; without it the system’s are trusted',
  ),
  DB_DIRECT_HOST: variable(
    text().optional(),
    'a host name or address',
    'The server itself where DB_HOST is a pooler such as PgBouncer: for LISTEN, session locks and COPY',
  ),
  DB_DIRECT_PORT: variable(port().optional(), 'a port, 1 to 65535', 'Port of the server itself', {
    shown: 'DB_PORT',
  }),
  DB_PREPARED: variable(
    z.enum(['auto', 'on', 'off']).default('auto'),
    'auto, on or off',
    'Prepare statements by name; auto does so unless a pooler stands between',
    { shown: 'auto' },
  ),
  DB_READ_HOST: variable(
    list().default([]),
    'host names, separated by commas',
    'Replicas, one server each: they answer reads, and one of them may become the primary',
  ),
  DB_READ_PORT: variable(
    list()
      .refine((ports) => ports.every((value) => port().safeParse(value).success))
      .default([]),
    'ports, separated by commas: one for all, or one for each of DB_READ_HOST',
    'Ports of the replicas',
    { shown: 'DB_PORT' },
  ),
  DB_MAX_LAG: variable(
    size().default(16 * 1024 ** 2),
    'a size such as 16MB',
    'WAL that a replica may be behind and still answer reads',
    { shown: '16MB' },
  ),
  DB_FAILOVER_WAIT: variable(
    span().default(10_000),
    'a time span such as 10s',
    'How long a write waits while no server takes writes',
    { shown: '10s' },
  ),
  DB_POOL_MIN: variable(whole(0, 1000).default(2), 'a number, 0 to 1000', 'Connections kept open', {
    shown: '2',
  }),
  DB_POOL_MAX: variable(whole(1, 1000).default(20), 'a number, 1 to 1000', 'Connections at most', {
    shown: '20',
  }),
  DB_ACQUIRE_TIMEOUT: variable(
    milliseconds().default(30_000),
    'milliseconds',
    'How long a caller waits for a connection',
    { shown: '30000' },
  ),
  DB_CONNECT_TIMEOUT: variable(
    milliseconds().default(5_000),
    'milliseconds',
    'How long TCP, TLS and sign-in of one connection may take',
    { shown: '5000' },
  ),
  DB_QUERY_TIMEOUT: variable(
    milliseconds().default(30_000),
    'milliseconds; 0 for no end',
    'How long a statement may take before it is cancelled',
    { shown: '30000' },
  ),
  DB_LEAK_TIMEOUT: variable(
    milliseconds().default(60_000),
    'milliseconds; 0 for never',
    'How long a connection may be borrowed before the log tells by whom',
    { shown: '60000' },
  ),
  DB_IDLE_TIMEOUT: variable(
    milliseconds().default(30_000),
    'milliseconds',
    'How long an unused connection above the minimum stays open',
    { shown: '30000' },
  ),
  ...cacheVariables,
  ...defenceVariables,
  ...tracingVariables,
  ...backupVariables,
  JWT_ACCESS_EXPIRES_IN: variable(
    span().default(15 * 60_000),
    'a time span such as 15m',
    'Life of an access token',
    { shown: '15m' },
  ),
  JWT_REFRESH_EXPIRES_IN: variable(
    span().default(7 * 86_400_000),
    'a time span such as 7d',
    'A session ends when it is unused for so long',
    { shown: '7d' },
  ),
  JWT_SECRET: variable(
    text()
      .refine(
        (value) => Buffer.byteLength(value) >= 32 && !/change.?me|placeholder|your.?secret/i.test(value),
      )
      .optional(),
    'at least 32 bytes, and no placeholder',
    'Signs access tokens with HS256; without it a key pair is made and kept sealed',
    { secret: true },
  ),
  MAX_SESSIONS_PER_USER: variable(
    whole(1, 1000).default(10),
    'a number, 1 to 1000',
    'Live sessions of one user; one more ends the one unused for longest',
    { shown: '10' },
  ),
  MAX_LOGIN_ATTEMPTS: variable(
    whole(1, 1000).default(5),
    'a number, 1 to 1000',
    'Failed sign-ins before an account and address are blocked',
    { shown: '5' },
  ),
  LOGIN_WINDOW_MS: variable(
    milliseconds().default(900_000),
    'milliseconds',
    'Window in which failed sign-ins count',
    { shown: '900000' },
  ),
  LOGIN_BLOCK_DURATION: variable(
    milliseconds().default(3_600_000),
    'milliseconds',
    'Longest block after failed sign-ins',
    { shown: '3600000' },
  ),
  TWO_FA_ISSUER: variable(text().default('Holdfast'), 'a name', 'Name shown in authenticator apps', {
    shown: 'Holdfast',
  }),
  TWO_FA_WINDOW: variable(
    whole(0, 10).default(2),
    'a number of 30 s steps, 0 to 10',
    'Clock drift that a code may have',
    { shown: '2' },
  ),
  MIGRATION_SOURCE_DIRS: variable(
    list().default([]),
    'folders, separated by commas',
    'Folders whose SQLite files may be migrated',
  ),
  MIGRATION_UPLOAD_MAX: variable(
    size().default(2 * 1024 ** 3),
    'a size such as 2GB',
    'Largest SQLite file that can be uploaded',
    { shown: '2GB' },
  ),
  MIGRATION_SWITCH_BACK_HOURS: variable(
    whole(0, 8_760).default(72),
    'hours, 0 to 8760',
    'How long after a switchover the console may be switched back to SQLite; 0: not at all',
    { shown: '72' },
  ),
}

export type VariableName = keyof typeof variables

type Values = { [K in VariableName]: (typeof variables)[K] extends Variable<infer T> ? T : never }

/** The configuration, parsed. `given` tells where each value that is no default came from. */
export type Env = Omit<Values, 'HOLDFAST_URL'> & {
  HOLDFAST_URL: string
  given: Partial<Record<VariableName, 'environment' | 'file'>>
}

/**
 * Parses the configuration from the environment and an `.env` file; the environment wins. An empty value
 * counts as not given. Throws a {@link ConfigurationError} that names the variable, what it got and what it takes.
 */
export function parseVariables(environment: Given, file: Given = {}): Env {
  const given: Env['given'] = {}
  const values: Record<string, unknown> = {}
  for (const [name, { schema, takes, secret }] of Object.entries(variables) as [
    VariableName,
    Variable<unknown>,
  ][]) {
    const raw = environment[name] || file[name] || undefined
    if (raw !== undefined) given[name] = environment[name] ? 'environment' : 'file'
    const parsed = schema.safeParse(raw)
    if (!parsed.success) {
      const got = secret ? 'a value that does not fit' : `"${raw}"`
      throw new ConfigurationError(`${name} is ${got}; it takes ${takes}.`)
    }
    values[name] = parsed.data
  }
  const env = values as unknown as Values
  if (env.DB_POOL_MIN > env.DB_POOL_MAX) {
    throw new ConfigurationError(
      `DB_POOL_MIN is ${env.DB_POOL_MIN}; it takes at most DB_POOL_MAX, which is ${env.DB_POOL_MAX}.`,
    )
  }
  if (env.DB_DIRECT_PORT && !env.DB_DIRECT_HOST) {
    throw new ConfigurationError(
      'DB_DIRECT_PORT is set but DB_DIRECT_HOST is not; it takes the host name of the server itself.',
    )
  }
  if (env.DB_READ_PORT.length > 1 && env.DB_READ_PORT.length !== env.DB_READ_HOST.length) {
    throw new ConfigurationError(
      `DB_READ_PORT names ${env.DB_READ_PORT.length} ports; it takes one, or as many as DB_READ_HOST has hosts, which is ${env.DB_READ_HOST.length}.`,
    )
  }
  if (env.DB_TYPE === 'postgresql' && !env.DB_HOST) {
    throw new ConfigurationError(
      'DB_TYPE is postgresql but DB_HOST is not set; it takes the host name of the server.',
    )
  }
  const mistake = cacheMistake(env)
  if (mistake) throw new ConfigurationError(mistake)
  return {
    ...env,
    HOLDFAST_DATA_DIR: resolve(/* turbopackIgnore: true */ env.HOLDFAST_DATA_DIR),
    HOLDFAST_URL: env.HOLDFAST_URL ?? `http://localhost:${env.PORT}`,
    given,
  }
}

/** Reads the configuration of this process, once, with `.env` from the working folder or the file HOLDFAST_ENV_FILE names. */
export function loadEnv(): Env {
  return parseVariables(process.env, readEnvFile(process.env.HOLDFAST_ENV_FILE ?? '.env'))
}

/** Reads a file of variables; one that is not there holds none. Throws a {@link ConfigurationError}. */
export function readEnvFile(path: string): Given {
  let content: string
  try {
    content = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return {}
    throw new ConfigurationError(
      `The file ${resolve(path)} cannot be read. Check its permissions, or remove it.`,
    )
  }
  return parseEnv(content)
}
