import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import type { Env, VariableName } from '@/server/env'

/** A setting that is weak, or that contradicts another one. */
export interface ConfigWarning {
  /** The variables that it is about; plain text in what is answered, so that a new variable changes no description. */
  names: string[]
  /** What is so, in one sentence. */
  detail: string
  /** What to do. */
  remedy: string
}

const HOUR = 3_600_000
const DAY = 24 * HOUR

/**
 * What is weak or contradictory in a configuration that can be used. The doctor and the page Configuration tell the
 * same. Nothing of the defaults is. Pure.
 */
export function configWarnings(env: Env): ConfigWarning[] {
  const found: ConfigWarning[] = []
  const warn = (names: VariableName[], detail: string, remedy: string) =>
    found.push({ names, detail, remedy })
  address(env, warn)
  accounts(env, warn)
  limits(env, warn)
  database(env, warn)
  redis(env, warn)
  rest(env, warn)
  return found
}

type Warn = (names: VariableName[], detail: string, remedy: string) => void

function address(env: Env, warn: Warn): void {
  const { HOST, PORT, HOLDFAST_URL, TRUSTED_PROXIES } = env
  const url = new URL(HOLDFAST_URL)
  const plain = url.protocol === 'http:'
  if (plain && !isHere(url.hostname)) {
    warn(
      ['HOLDFAST_URL'],
      `The console is reached over plain http at ${url.origin}: passwords and sessions can be read on the way.`,
      'Put a proxy with TLS in front, and set HOLDFAST_URL to its https address.',
    )
  }
  if (plain && isHere(url.hostname) && !isHere(HOST)) {
    warn(
      ['HOST', 'HOLDFAST_URL'],
      `The console listens on ${HOST}, but HOLDFAST_URL is ${url.origin}: from other machines every change is refused, since it comes from another address.`,
      'Set HOLDFAST_URL to the address that people use, or HOST to 127.0.0.1.',
    )
  }
  if (env.given.HOLDFAST_URL && plain && isHere(url.hostname) && Number(url.port || 80) !== PORT) {
    warn(
      ['HOLDFAST_URL', 'PORT'],
      `HOLDFAST_URL names port ${url.port || 80}, and the console listens on ${PORT}.`,
      'Make them the same, or remove HOLDFAST_URL.',
    )
  }
  if (!plain && TRUSTED_PROXIES.length === 0) {
    warn(
      ['TRUSTED_PROXIES', 'HOLDFAST_URL'],
      'HOLDFAST_URL is https, so a proxy stands in front, but TRUSTED_PROXIES names none: every client has the proxy’s address, and limits and blocks hit all of them.',
      'Set TRUSTED_PROXIES to the address of the proxy, such as 127.0.0.1.',
    )
  }
  const wrong = TRUSTED_PROXIES.filter((each) => !ipaddr.isValid(each) && !ipaddr.isValidCIDR(each))
  if (wrong.length > 0) {
    warn(
      ['TRUSTED_PROXIES'],
      `TRUSTED_PROXIES has ${wrong.join(', ')}, which is no address or network, and is not looked at.`,
      'Write addresses (10.0.0.7) or networks (10.0.0.0/8); names are not looked up.',
    )
  }
  const wide = TRUSTED_PROXIES.filter(isWide)
  if (wide.length > 0) {
    warn(
      ['TRUSTED_PROXIES'],
      `TRUSTED_PROXIES has ${wide.join(', ')}: almost anybody may say which address he comes from, and evade limits and blocks.`,
      'Name the proxies alone.',
    )
  }
}

function accounts(env: Env, warn: Warn): void {
  const { JWT_ACCESS_EXPIRES_IN: access, JWT_REFRESH_EXPIRES_IN: refresh } = env
  if (access >= refresh) {
    warn(
      ['JWT_ACCESS_EXPIRES_IN', 'JWT_REFRESH_EXPIRES_IN'],
      'An access token lives as long as a session that nobody uses, or longer.',
      'Make JWT_ACCESS_EXPIRES_IN shorter: 15m renews by itself.',
    )
  } else if (access > HOUR) {
    warn(
      ['JWT_ACCESS_EXPIRES_IN'],
      `An access token lives ${Math.round(access / HOUR)} hours: other applications accept a stolen one for so long.`,
      'Set it to an hour or less; it is renewed without anybody noticing.',
    )
  }
  if (refresh > 90 * DAY) {
    warn(
      ['JWT_REFRESH_EXPIRES_IN'],
      `A session that nobody uses lives ${Math.round(refresh / DAY)} days.`,
      'Set it to 30d or less.',
    )
  }
  if (env.JWT_SECRET && new Set(env.JWT_SECRET).size < 10) {
    warn(
      ['JWT_SECRET'],
      'JWT_SECRET has few different characters: who guesses it signs in as anybody.',
      'Make one by openssl rand -base64 48, or remove it: the console then makes and rotates its own keys.',
    )
  }
  if (env.HOLDFAST_MASTER_KEY && new Set(Buffer.from(env.HOLDFAST_MASTER_KEY, 'base64')).size < 12) {
    warn(
      ['HOLDFAST_MASTER_KEY'],
      'HOLDFAST_MASTER_KEY is no random key: who guesses it opens every secret in the store.',
      'Make one by openssl rand -base64 32, and list the old one in HOLDFAST_MASTER_KEYS_PREVIOUS.',
    )
  }
  if (env.TWO_FA_WINDOW > 4) {
    warn(
      ['TWO_FA_WINDOW'],
      `Codes of ${env.TWO_FA_WINDOW * 30} s before and after are accepted: ${2 * env.TWO_FA_WINDOW + 1} of a million at a time.`,
      'Set it to 2, and let clocks be set by NTP.',
    )
  }
}

function limits(env: Env, warn: Warn): void {
  for (const name of ['RATE_LIMIT_ADDRESS', 'RATE_LIMIT_USER', 'BLOCK_AFTER'] as const) {
    if (env[name] === null) {
      warn([name], `${name} is off: nothing slows an attacker down there.`, 'Set a high limit instead.')
    }
  }
  if (env.MAX_LOGIN_ATTEMPTS > 20 || env.LOGIN_BLOCK_DURATION < 60_000 || env.LOGIN_WINDOW_MS < 60_000) {
    warn(
      ['MAX_LOGIN_ATTEMPTS', 'LOGIN_WINDOW_MS', 'LOGIN_BLOCK_DURATION'],
      `Passwords can be guessed quickly: ${env.MAX_LOGIN_ATTEMPTS} attempts in ${Math.round(env.LOGIN_WINDOW_MS / 1000)} s, then a block of at most ${Math.round(env.LOGIN_BLOCK_DURATION / 1000)} s.`,
      'Allow 20 attempts at most, in a minute or more, and block for a minute or more.',
    )
  }
}

function database(env: Env, warn: Warn): void {
  const { DB_HOST: host } = env
  if (env.DB_READ_HOST.length > 0 && !host) {
    warn(
      ['DB_READ_HOST', 'DB_HOST'],
      'DB_READ_HOST names replicas, and DB_HOST no primary: they are not used.',
      'Set DB_HOST, or remove DB_READ_HOST.',
    )
  }
  if (!host || isHere(host) || host.startsWith('/')) return
  if (!env.DB_SSL) {
    warn(
      ['DB_SSL'],
      `The connection to PostgreSQL at ${host} is not encrypted: what is read and written can be seen on the way.`,
      'Set DB_SSL=true, and DB_SSL_CA where the authority is your own.',
    )
  }
  if (!env.DB_PASSWORD) {
    warn(
      ['DB_PASSWORD'],
      `PostgreSQL at ${host} asks ${env.DB_USER} for no password.`,
      'Give the role one, and ask for it by scram-sha-256 in pg_hba.conf.',
    )
  }
}

function redis(env: Env, warn: Warn): void {
  const places = [
    ...(env.REDIS_HOST ? [env.REDIS_HOST] : []),
    ...(env.REDIS_CLUSTER_ENABLED ? env.REDIS_CLUSTER_NODES : []).map(hostOf),
    ...env.REDIS_SENTINELS.map(hostOf),
  ]
  if (!env.REDIS_CLUSTER_ENABLED && env.REDIS_CLUSTER_NODES.length > 0) {
    warn(
      ['REDIS_CLUSTER_NODES', 'REDIS_CLUSTER_ENABLED'],
      'REDIS_CLUSTER_NODES is set, but REDIS_CLUSTER_ENABLED is not true: the cluster is not used.',
      'Set REDIS_CLUSTER_ENABLED=true, or remove the nodes.',
    )
  }
  if (env.REDIS_CLUSTER_ENABLED && env.REDIS_DB !== 0) {
    warn(['REDIS_DB'], 'REDIS_DB has no effect: a cluster has one database.', 'Remove it.')
  }
  if (env.REDIS_PASSWORD && places.length === 0) {
    warn(
      ['REDIS_PASSWORD'],
      'REDIS_PASSWORD is set, but no Redis is named: the cache lives in memory.',
      'Set REDIS_HOST, REDIS_CLUSTER_NODES or REDIS_SENTINELS.',
    )
  }
  const far = places.find((host) => !isHere(host))
  if (far === undefined) return
  if (!env.REDIS_TLS) {
    warn(
      ['REDIS_TLS'],
      `The connection to Redis at ${far} is not encrypted.`,
      'Set REDIS_TLS=true, and REDIS_TLS_CA where the authority is your own.',
    )
  }
  if (!env.REDIS_PASSWORD) {
    warn(
      ['REDIS_PASSWORD'],
      `Redis at ${far} asks for no password: whoever reaches it reads and changes the cache.`,
      'Set requirepass or an access list there, and REDIS_PASSWORD here.',
    )
  }
}

function rest(env: Env, warn: Warn): void {
  const open = env.OUTBOUND_ALLOW.filter(isWide)
  if (open.length > 0) {
    warn(
      ['OUTBOUND_ALLOW'],
      `OUTBOUND_ALLOW has ${open.join(', ')}: a webhook may reach every inner server, also the one that gives cloud machines their keys.`,
      'Name the networks of the servers that are to be called.',
    )
  }
  if (env.METRICS_TOKEN && env.METRICS_TOKEN.length < 16) {
    warn(
      ['METRICS_TOKEN'],
      'METRICS_TOKEN is short, and can be guessed.',
      'Make one by openssl rand -hex 24.',
    )
  }
  if (env.MIGRATION_SOURCE_DIRS.some((folder) => /^(\/|\/(etc|root|home|proc|var)\/?)$/.test(folder))) {
    warn(
      ['MIGRATION_SOURCE_DIRS'],
      'MIGRATION_SOURCE_DIRS names a folder of the system: every SQLite file below it can be read by operators.',
      'Name the folders of the files that are to be migrated.',
    )
  }
  if (env.BACKUP_MAX_AGE && !env.BACKUP_PASSPHRASE && !env.HOLDFAST_MASTER_KEY) {
    warn(
      ['BACKUP_PASSPHRASE'],
      'Backups hold the master key in plain: who reads one reads every secret of the store.',
      'Set BACKUP_PASSPHRASE, and keep it elsewhere.',
    )
  }
  if (env.BACKUP_MAX_AGE && !env.BACKUP_DIR) {
    warn(
      ['BACKUP_DIR'],
      'Backups stand in the data folder, on the disk whose loss they are for.',
      'Set BACKUP_DIR to a folder of another machine or disk.',
    )
  }
}

const hostOf = (node: string) => node.replace(/:\d+$/, '')

/** Whether an address or name is this machine's own. */
function isHere(host: string): boolean {
  return /^(localhost|.+\.localhost|127(\.\d+){3}|\[?::1\]?)$/.test(host)
}

/** Networks of a quarter of all addresses and more. */
function isWide(network: string): boolean {
  const [address = '', bits] = network.split('/')
  return isIP(address) !== 0 && bits !== undefined && Number(bits) <= 2
}
