import { describe, expect, it } from 'vitest'
import { parseVariables } from '@/server/env'
import { configWarnings } from './config-warnings'

const proxied = { HOLDFAST_URL: 'https://h.example.org', TRUSTED_PROXIES: '10.0.0.7' }

describe('warnings about the configuration', () => {
  it('has none about the defaults, nor about a console behind a proxy with a database and Redis over TLS', () => {
    expect(configWarnings(parseVariables({}))).toEqual([])
    const careful = {
      ...proxied,
      ...{ DB_TYPE: 'postgresql', DB_HOST: 'db', DB_PASSWORD: 'x', DB_SSL: 'true', DB_READ_HOST: 'db2' },
      ...{ REDIS_HOST: 'redis', REDIS_PASSWORD: 'x', REDIS_TLS: 'true', METRICS_TOKEN: 'm'.repeat(32) },
      ...{ BACKUP_MAX_AGE: '26h', BACKUP_DIR: '/mnt/b', BACKUP_PASSPHRASE: 'seven grey boats' },
    }
    expect(configWarnings(parseVariables(careful))).toEqual([])
  })

  it.each([
    [{ HOLDFAST_URL: 'http://h.example.org' }, ['HOLDFAST_URL'], 'over plain http'],
    [{ HOST: '0.0.0.0' }, ['HOST', 'HOLDFAST_URL'], 'every change is refused'],
    [{ PORT: '4000', HOLDFAST_URL: 'http://localhost:3000' }, ['HOLDFAST_URL', 'PORT'], 'names port 3000'],
    [{ HOLDFAST_URL: 'https://h.example.org' }, ['TRUSTED_PROXIES', 'HOLDFAST_URL'], 'names none'],
    [{ ...proxied, TRUSTED_PROXIES: 'proxy' }, ['TRUSTED_PROXIES'], 'has proxy, which is no address'],
    [{ ...proxied, TRUSTED_PROXIES: '0.0.0.0/0' }, ['TRUSTED_PROXIES'], 'almost anybody'],
    [
      { JWT_ACCESS_EXPIRES_IN: '8d' },
      ['JWT_ACCESS_EXPIRES_IN', 'JWT_REFRESH_EXPIRES_IN'],
      'as long as a session',
    ],
    [{ JWT_ACCESS_EXPIRES_IN: '5h' }, ['JWT_ACCESS_EXPIRES_IN'], 'lives 5 hours'],
    [{ JWT_REFRESH_EXPIRES_IN: '365d' }, ['JWT_REFRESH_EXPIRES_IN'], 'lives 365 days'],
    [{ JWT_SECRET: 'ab'.repeat(20) }, ['JWT_SECRET'], 'few different characters'],
    [{ HOLDFAST_MASTER_KEY: Buffer.alloc(32).toString('base64') }, ['HOLDFAST_MASTER_KEY'], 'no random key'],
    [{ TWO_FA_WINDOW: '10' }, ['TWO_FA_WINDOW'], '21 of a million'],
    [{ RATE_LIMIT_ADDRESS: 'off' }, ['RATE_LIMIT_ADDRESS'], 'is off'],
    [{ BLOCK_AFTER: 'off' }, ['BLOCK_AFTER'], 'is off'],
    [
      { LOGIN_BLOCK_DURATION: '0' },
      ['MAX_LOGIN_ATTEMPTS', 'LOGIN_WINDOW_MS', 'LOGIN_BLOCK_DURATION'],
      'guessed quickly',
    ],
    [{ DB_READ_HOST: 'replica' }, ['DB_READ_HOST', 'DB_HOST'], 'no primary'],
    [{ DB_HOST: 'db', DB_PASSWORD: 'x' }, ['DB_SSL'], 'not encrypted'],
    [{ DB_HOST: 'db', DB_SSL: '1' }, ['DB_PASSWORD'], 'no password'],
    [
      { REDIS_CLUSTER_NODES: 'r:1' },
      ['REDIS_CLUSTER_NODES', 'REDIS_CLUSTER_ENABLED'],
      'the cluster is not used',
    ],
    [
      { REDIS_CLUSTER_NODES: '127.0.0.1:1', REDIS_CLUSTER_ENABLED: '1', REDIS_DB: '2' },
      ['REDIS_DB'],
      'no effect',
    ],
    [{ REDIS_PASSWORD: 'x' }, ['REDIS_PASSWORD'], 'no Redis is named'],
    [{ REDIS_HOST: 'r', REDIS_PASSWORD: 'x' }, ['REDIS_TLS'], 'not encrypted'],
    [{ REDIS_HOST: 'r', REDIS_TLS: '1' }, ['REDIS_PASSWORD'], 'no password'],
    [{ OUTBOUND_ALLOW: '::/0' }, ['OUTBOUND_ALLOW'], 'every inner server'],
    [{ METRICS_TOKEN: 'secret' }, ['METRICS_TOKEN'], 'short'],
    [{ MIGRATION_SOURCE_DIRS: '/srv,/' }, ['MIGRATION_SOURCE_DIRS'], 'folder of the system'],
    [{ BACKUP_MAX_AGE: '1d', BACKUP_DIR: '/mnt/b' }, ['BACKUP_PASSPHRASE'], 'in plain'],
    [{ BACKUP_MAX_AGE: '1d', BACKUP_PASSPHRASE: 'seven grey boats' }, ['BACKUP_DIR'], 'in the data folder'],
  ])('tells of %j alone', (given, names, detail) => {
    const found = configWarnings(parseVariables(given))
    expect(found).toEqual([{ names, detail: expect.stringContaining(detail), remedy: expect.any(String) }])
  })

  it('never repeats a secret', () => {
    const secrets = { JWT_SECRET: 'xy'.repeat(20), METRICS_TOKEN: 'planted-9', REDIS_PASSWORD: 'planted-8' }
    const text = JSON.stringify(configWarnings(parseVariables(secrets)))
    for (const secret of Object.values(secrets)) expect(text).not.toContain(secret)
  })
})
