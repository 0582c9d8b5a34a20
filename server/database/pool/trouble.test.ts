import { describe, expect, it } from 'vitest'
import { makeAuthorities } from '@/db/testing/certificates'
import { waitUntil } from '@/db/testing/processes'
import { startPostgres } from '@/db/testing/servers'
import { needsPostgres } from '@/db/testing/shared'
import { poolsForTests, queryOf, watchUncaught } from './pool.testing'

const range = (count: number) => Array.from({ length: count }, (_, n) => n)

describe('pool in trouble', () => {
  needsPostgres()
  const { open } = poolsForTests()
  const uncaught = watchUncaught()

  it('survives kill -9, a frozen and a restarted server under load without an uncaught error', async () => {
    const server = await startPostgres()
    const { host, port, user, password, database } = server
    const pool = open({
      ...{ host, port, user, password, database, max: 4 },
      ...{ acquireTimeout: 500, connectTimeout: 500, queryTimeout: 500 },
    })
    const query = queryOf(pool)
    const TEXT = 'SELECT $1::int AS n'
    // On a busy machine the first connection may take longer than is allowed here.
    await waitUntil('the first answer', async () => (await query(TEXT, [0])).rows.length === 1)
    let stop = false
    let answered = 0
    const codes = new Set<unknown>()
    const callers = range(24).map(async (n) => {
      while (!stop) {
        const transaction = n % 4 === 0
        try {
          const connection = transaction ? await pool.connect() : undefined
          try {
            if (connection) await queryOf(connection)('BEGIN')
            const { rows } = await (connection ? queryOf(connection) : query)<{ n: number }>(TEXT, [n])
            if (rows[0]?.n !== n) codes.add(`wrong answer ${rows[0]?.n}`)
            if (connection) await queryOf(connection)('COMMIT')
            answered++
          } finally {
            connection?.release()
          }
        } catch (error) {
          codes.add((error as { code?: string }).code)
          await new Promise(setImmediate)
        }
      }
    })
    const more = async (what: string) => {
      const before = answered
      await waitUntil(what, async () => answered > before + 100)
    }
    await more('answers')
    await server.kill9()
    await server.start()
    await more('answers after kill -9')
    const backends = await server.query<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`,
    )
    const signal = (name: NodeJS.Signals) => {
      for (const { pid } of backends) if (isAlive(pid)) process.kill(pid, name)
    }
    server.pause()
    signal('SIGSTOP')
    const refused = pool.metrics.statementTimeouts
    await waitUntil('deadlines', async () => pool.metrics.statementTimeouts > refused)
    signal('SIGCONT')
    server.resume()
    await more('answers after the freeze')
    await server.stop({ keep: true })
    await server.start()
    await more('answers after the restart')
    stop = true
    await Promise.all(callers)
    expect([...codes]).toEqual(['DATABASE_UNAVAILABLE'])
    await pool.close(500)
    await server.stop()
    expect(uncaught).toEqual([])
  }, 90_000)

  it('reports a connection that is not given back, once, with the stack of its borrower', async () => {
    const lines: string[] = []
    const pool = open({ leakTimeout: 20 }, lines)
    async function forgetful() {
      return await pool.connect()
    }
    const connection = await forgetful()
    await waitUntil('the report', async () => pool.metrics.leaks === 1)
    expect(pool.leaks()).toEqual([
      { heldMs: expect.any(Number), stack: expect.arrayContaining([expect.stringContaining('forgetful')]) },
    ])
    const reports = lines.filter((line) => line.includes('not given back'))
    expect(reports).toHaveLength(1)
    expect(reports[0]).toContain('forgetful')
    connection.release()
    expect(pool.leaks()).toEqual([])
    await expect(queryOf(connection)('SELECT 1')).rejects.toThrow('given back')
  })
})

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe('TLS', () => {
  needsPostgres()
  const { open } = poolsForTests()

  it('verifies the server by the authority it was given, for statements and for cancels', async () => {
    const authorities = makeAuthorities()
    const [ours, foreign] = [authorities.make('ours'), authorities.make('foreign')]
    const server = await startPostgres({ settings: ours.sign('db') })
    const { host, port, user, password, database } = server
    const place = { host, port, user, password, database, ssl: true }
    const pool = open({ ...place, ca: ours.pem })
    const query = queryOf(pool)
    const SSL = 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()'
    for (let n = 0; n < 3; n++) expect((await query(SSL)).rows).toEqual([{ ssl: true }])
    await expect(query({ text: 'SELECT pg_sleep(60)', query_timeout: 200 })).rejects.toMatchObject({
      details: { reason: 'deadline' },
    })
    await waitUntil('the cancel', async () => {
      const sleeping = `SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT pg_sleep(60)%'`
      return (await query(sleeping)).rows.length === 0
    })
    for (const options of [{ ca: foreign.pem }, {}]) {
      await expect(queryOf(open({ ...place, ...options }))('SELECT 1')).rejects.toMatchObject({
        code: 'DATABASE_UNAVAILABLE',
        message: expect.stringContaining('trusts'),
      })
    }
    await server.stop()
    authorities.remove()
  })
})
