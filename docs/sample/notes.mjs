// Notes of many users, on Holdfast's layers alone: accounts with a second factor, a primary with its replica, a cache.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { json } from 'node:stream/consumers'
import { createCache } from 'holdfast/cache'
import { openPostgresDatabase, Position, within } from 'holdfast/database'
import { errorStatus, isHoldfastError, openAccounts } from 'holdfast/security'

const { PORT, DB_HOST, DB_PORT, DB_USER, DB_PASSWORD, DB_READ_HOST, DB_READ_PORT } = process.env
const log = { debug() {}, info() {}, warn: console.error, error: console.error }
const server = { host: DB_HOST, port: Number(DB_PORT), user: DB_USER, password: DB_PASSWORD }
const pool = { min: 0, max: 5, acquireTimeout: 15_000, connectTimeout: 15_000, idleTimeout: 30_000 }

const database = openPostgresDatabase(
  { log },
  {
    ...{ ...server, database: 'notes', ...pool },
    replicas: [{ host: DB_READ_HOST, port: Number(DB_READ_PORT) }],
  },
)
const accountsDatabase = openPostgresDatabase({ log }, { ...server, database: 'accounts', ...pool })
const accounts = await openAccounts(
  { database: accountsDatabase, key: Buffer.from(readFileSync('master.key', 'utf8'), 'base64'), log },
  { url: `http://localhost:${PORT}`, totpIssuer: 'Notes' },
)
const cache = createCache({
  redis: { host: process.env.REDIS_HOST, port: Number(process.env.REDIS_PORT) },
  prefix: 'notes:',
  log,
})
const lists = cache.space('lists')
await database.query(
  'CREATE TABLE IF NOT EXISTS notes (id bigserial PRIMARY KEY, owner uuid NOT NULL, text text NOT NULL)',
)

/** What anybody may ask for: input and where it comes from in, answer out. */
const open = {
  'POST /sign-up': (input, from) => accounts.createUser(input, from),
  'POST /sign-in': async (input, from) => {
    const result = await accounts.signIn(input, from)
    return result.state === 'factor' ? { challenge: result.asked.challenge } : tokensOf(result.signedIn)
  },
  'POST /verify': async (input, from) => tokensOf(await accounts.verify(input, from)),
  'POST /refresh': async ({ refreshToken }, from) => tokensOf(await accounts.refresh(refreshToken, from)),
}

/** What takes a session. */
const own = {
  'POST /totp': (session, _, from) => accounts.beginTotp(session, from),
  'POST /totp/activate': (session, input, from) => accounts.activateTotp(session, input, from),
  async 'POST /notes'({ userId }, { text }) {
    const sql = 'INSERT INTO notes (owner, text) VALUES ($1, $2) RETURNING id'
    const { rows } = await database.query(sql, [userId, String(text)])
    await lists.invalidate(userId)
    return rows[0]
  },
  'GET /notes': ({ userId }) =>
    lists.getOrSet(userId, { ttl: 60_000, tags: [userId] }, async () => {
      const sql = 'SELECT id, text FROM notes WHERE owner = $1 ORDER BY id'
      return (await database.query(sql, [userId], { read: true })).rows
    }),
}

const tokensOf = ({ accessToken, refreshToken }) => ({ accessToken, refreshToken })

async function answer(request) {
  const { method, url, headers, socket } = request
  const from = { address: socket.remoteAddress, userAgent: headers['user-agent'] ?? '' }
  const name = `${method} ${url}`
  const input = method === 'POST' ? await json(request).catch(() => ({})) : {}
  if (open[name]) return [200, await open[name](input, from)]
  if (!own[name]) return [404, { code: 'NOT_FOUND' }]
  const token = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? ''
  const session = await accounts.authenticate(token, from)
  return session ? [200, await own[name](session, input, from)] : [401, { code: 'UNAUTHENTICATED' }]
}

const http = createServer(async (request, response) => {
  // A replica answers once it has replayed what this user wrote: the cookie tells how far that is.
  const position = new Position(/position=([^;]+)/.exec(request.headers.cookie ?? '')?.[1] ?? null)
  const [status, body] = await within(position, () => answer(request)).catch((error) => {
    if (isHoldfastError(error)) return [errorStatus[error.code], { code: error.code, detail: error.message }]
    log.error(error)
    return [500, { code: 'INTERNAL' }]
  })
  const at = position.text()
  response.writeHead(status, {
    'content-type': 'application/json',
    ...(at ? { 'set-cookie': `position=${at}; HttpOnly; SameSite=Strict` } : {}),
  })
  response.end(JSON.stringify(body))
}).listen(Number(PORT), '127.0.0.1', () => console.log('notes are ready'))

process.once('SIGTERM', () =>
  http.close(async () => {
    await Promise.all([accounts.close(), cache.close()])
    await Promise.all([database.close(), accountsDatabase.close()])
  }),
)
