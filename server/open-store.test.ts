import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { retirePostgres } from '@/db/retired'
import { createDatabase, emptyStore, needsPostgres } from '@/db/testing/shared'
import { ConfigurationError, parseVariables } from './env'
import { openLog } from './log'
import { openStore, poolConfig } from './open-store'

describe('a store on PostgreSQL that was left', () => {
  needsPostgres()

  it('is not opened, and the reason names where the store is now', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-left-'))
    const { url, drop } = await createDatabase(emptyStore)
    try {
      const { hostname, port, username, password, pathname } = new URL(url)
      const env = parseVariables({
        ...{ DB_TYPE: 'postgresql', DB_HOST: hostname, DB_PORT: port, DB_NAME: pathname.slice(1) },
        ...{ DB_USER: username, DB_PASSWORD: password, HOLDFAST_DATA_DIR: folder },
      })
      const log = openLog('error')
      const { database } = await openStore(env, log, { serving: false, topologyChanged: () => {} })
      await retirePostgres((sql, params) => database.query(sql, params), {
        at: 0,
        movedTo: '/data/holdfast.db',
      })
      await database.close()
      await expect(openStore(env, log, { serving: false, topologyChanged: () => {} })).rejects.toThrow(
        /was left on 1970-01-01T00:00:00.000Z, when the console moved back to SQLite at \/data\/holdfast.db: remove DB_TYPE/,
      )
    } finally {
      await drop()
      rmSync(folder, { recursive: true })
    }
  })
})

describe('configuration of the pool', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-authority-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const file = (name: string, content: string) => {
    const path = join(folder, name)
    writeFileSync(path, content)
    return path
  }
  const server = { host: 'db.example', port: 5432 }
  const config = (given: Record<string, string>, place = server) => poolConfig(parseVariables(given), place)
  const refusal = (sentence: string) => new ConfigurationError(sentence)

  it('takes its limits from the environment', () => {
    const given = {
      DB_POOL_MIN: '3',
      DB_POOL_MAX: '7',
      DB_ACQUIRE_TIMEOUT: '1000',
      DB_CONNECT_TIMEOUT: '2000',
      DB_QUERY_TIMEOUT: '3000',
      DB_IDLE_TIMEOUT: '4000',
      DB_LEAK_TIMEOUT: '0',
      DB_PREPARED: 'off',
    }
    expect(config(given)).toEqual({
      min: 3,
      max: 7,
      acquireTimeout: 1000,
      connectTimeout: 2000,
      queryTimeout: 3000,
      idleTimeout: 4000,
      leakTimeout: 0,
      prepared: 'off',
      replicas: [],
      failoverWait: 10_000,
      maxLag: 16 * 2 ** 20,
      fenceFile: join(process.cwd(), 'data', 'topology.json'),
    })
  })

  it('reads replicas of the server of DB_HOST, with one port for all or one for each', () => {
    const given = {
      DB_HOST: 'db.example',
      DB_READ_HOST: 'one.example, two.example',
      DB_MAX_LAG: '1MB',
      DB_FAILOVER_WAIT: '3s',
    }
    const replicas = (more: Record<string, string>) => config({ ...given, ...more }).replicas
    expect(config(given)).toMatchObject({ maxLag: 2 ** 20, failoverWait: 3_000 })
    expect(replicas({})).toEqual([
      { host: 'one.example', port: 5432 },
      { host: 'two.example', port: 5432 },
    ])
    expect(replicas({ DB_READ_PORT: '6000' })?.map(({ port }) => port)).toEqual([6000, 6000])
    expect(replicas({ DB_READ_PORT: '6000,6001' })?.map(({ port }) => port)).toEqual([6000, 6001])
    expect(() => replicas({ DB_READ_PORT: '1,2,3' })).toThrow(
      refusal('DB_READ_PORT names 3 ports; it takes one, or as many as DB_READ_HOST has hosts, which is 2.'),
    )
    expect(() => replicas({ DB_READ_PORT: 'x' })).toThrow(/DB_READ_PORT is "x"; it takes ports/)
    expect(config(given, { host: 'other.example', port: 5432 }).replicas).toEqual([])
  })

  it('trusts the authority of DB_SSL_CA', () => {
    const pem = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'
    expect(config({ DB_SSL_CA: file('ca.pem', pem) })).toMatchObject({ ca: pem })
    expect(config({})).not.toHaveProperty('ca')
  })

  it('says in one sentence what is wrong with the file of DB_SSL_CA', () => {
    const missing = join(folder, 'missing.pem')
    expect(() => config({ DB_SSL_CA: missing })).toThrow(
      refusal(
        `DB_SSL_CA names ${missing}, which cannot be read (ENOENT). Check the path and its permissions.`,
      ),
    )
    expect(() => config({ DB_SSL_CA: folder })).toThrow(
      refusal(
        `DB_SSL_CA names ${folder}, which cannot be read (EISDIR). Check the path and its permissions.`,
      ),
    )
    const der = file('ca.der', '\x30\x82')
    expect(() => config({ DB_SSL_CA: der })).toThrow(
      refusal(`DB_SSL_CA names ${der}, which holds no certificate; it takes a file in PEM.`),
    )
  })

  it('uses the direct address for the server of DB_HOST alone', () => {
    const given = { DB_HOST: 'db.example', DB_DIRECT_HOST: 'db-1.example' }
    expect(config(given)).toMatchObject({ direct: { host: 'db-1.example', port: 5432 } })
    expect(config({ ...given, DB_DIRECT_PORT: '6000' })).toMatchObject({
      direct: { host: 'db-1.example', port: 6000 },
    })
    expect(config(given, { host: 'other.example', port: 5432 })).not.toHaveProperty('direct')
    expect(config(given, { host: 'db.example', port: 5433 })).not.toHaveProperty('direct')
    expect(config({ DB_HOST: 'db.example' })).not.toHaveProperty('direct')
  })
})
