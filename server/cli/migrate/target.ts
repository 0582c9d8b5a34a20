import { readAuthority } from '@/server/authority'
import type { Target } from '@/server/migration'
import { UsageError } from '../common/usage'

/** The environment's variables that say who connects, where to, and whom to trust. */
export type Given = Record<string, string | undefined>

/** The target of `--target`, or of the DB_ variables where that is missing. Throws a {@link UsageError}. */
export function readTarget(text: string | undefined, schema: string, given: Given): Target {
  if (text !== undefined) return parseTarget(text, schema, given)
  const { DB_HOST, DB_PORT, DB_NAME, DB_USER, DB_SSL } = given
  if (!DB_HOST) {
    throw new UsageError('--target postgres://USER@HOST:PORT/DATABASE is missing, and DB_HOST is not set.')
  }
  const host = DB_HOST.includes(':') ? `[${DB_HOST}]` : DB_HOST
  const [user, name] = [DB_USER || 'holdfast', DB_NAME || 'holdfast'].map(encodeURIComponent)
  const ssl = DB_SSL === 'true' ? '?sslmode=verify-full' : ''
  return parseTarget(`postgres://${user}@${host}:${DB_PORT || 5432}/${name}${ssl}`, schema, given)
}

function parseTarget(text: string, schema: string, given: Given): Target {
  const url = URL.parse?.(text) ?? (URL.canParse(text) ? new URL(text) : null)
  if (!url || !/^postgres(ql)?:$/.test(url.protocol) || url.pathname.length < 2) {
    throw new UsageError(`--target takes postgres://USER@HOST:PORT/DATABASE.`)
  }
  if (url.password !== '') {
    throw new UsageError(
      '--target holds a password, which other users of this machine can read: set PGPASSWORD instead.',
    )
  }
  const { PGPASSWORD, DB_PASSWORD, PGUSER, PGSSLROOTCERT, DB_SSL_CA } = given
  const mode = url.searchParams.get('sslmode') ?? 'disable'
  const user = decodeURIComponent(url.username) || PGUSER
  const authority = (
    [
      [url.searchParams.get('sslrootcert'), 'sslrootcert'],
      [PGSSLROOTCERT, 'PGSSLROOTCERT'],
      [DB_SSL_CA, 'DB_SSL_CA'],
    ] as const
  ).find((each): each is [string, (typeof each)[1]] => Boolean(each[0]))
  if (!user) throw new UsageError('--target names no user.')
  return {
    host: decodeURIComponent(url.hostname).replace(/^\[|\]$/g, '') || 'localhost',
    port: Number(url.port || 5432),
    database: decodeURIComponent(url.pathname.slice(1)),
    user,
    password: PGPASSWORD ?? DB_PASSWORD ?? '',
    schema,
    ...(mode !== 'disable' && { ssl: mode.startsWith('verify') ? true : ('no-verify' as const) }),
    ...(authority && { ca: readAuthority(...authority) }),
  }
}
