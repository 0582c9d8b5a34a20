import { describe, expect, it } from 'vitest'
import { ConfigurationError, parseVariables, variables } from './env'

describe('configuration', () => {
  it('has its defaults without any variable', () => {
    expect(parseVariables({})).toMatchObject({
      PORT: 3000,
      HOST: '127.0.0.1',
      HOLDFAST_URL: 'http://localhost:3000',
      DB_POOL_MIN: 2,
      DB_POOL_MAX: 20,
      JWT_ACCESS_EXPIRES_IN: 900_000,
      JWT_REFRESH_EXPIRES_IN: 604_800_000,
      MIGRATION_UPLOAD_MAX: 2 * 1024 ** 3,
      given: {},
    })
  })

  it.each([
    ['PORT', '0', 'PORT is "0"; it takes a port, 1 to 65535.'],
    ['PORT', '3000x', 'PORT is "3000x"; it takes a port, 1 to 65535.'],
    ['DB_TYPE', 'mysql', 'DB_TYPE is "mysql"; it takes sqlite or postgresql.'],
    ['DB_PREPARED', 'yes', 'DB_PREPARED is "yes"; it takes auto, on or off.'],
    ['DB_SSL', 'verify', 'DB_SSL is "verify"; it takes true or false.'],
    ['DB_DIRECT_PORT', '70000', 'DB_DIRECT_PORT is "70000"; it takes a port, 1 to 65535.'],
    ['DB_POOL_MAX', '0', 'DB_POOL_MAX is "0"; it takes a number, 1 to 1000.'],
    ['DB_POOL_MIN', '-1', 'DB_POOL_MIN is "-1"; it takes a number, 0 to 1000.'],
    ['DB_QUERY_TIMEOUT', '30s', 'DB_QUERY_TIMEOUT is "30s"; it takes milliseconds; 0 for no end.'],
    [
      'JWT_ACCESS_EXPIRES_IN',
      '15 minutes',
      'JWT_ACCESS_EXPIRES_IN is "15 minutes"; it takes a time span such as 15m.',
    ],
    [
      'HOLDFAST_URL',
      'https://a.example/path',
      'HOLDFAST_URL is "https://a.example/path"; it takes an origin such as https://holdfast.example.org.',
    ],
    [
      'REDIS_CLUSTER_NODES',
      'one,two',
      'REDIS_CLUSTER_NODES is "one,two"; it takes host:port, separated by commas.',
    ],
    ['MIGRATION_UPLOAD_MAX', 'lots', 'MIGRATION_UPLOAD_MAX is "lots"; it takes a size such as 2GB.'],
  ])('refuses %s=%s in one sentence', (name, value, sentence) => {
    expect(() => parseVariables({ [name]: value })).toThrow(new ConfigurationError(sentence))
  })

  it.each([
    ['JWT_SECRET', 'tooshort-4f1c'],
    ['JWT_SECRET', 'change-me-change-me-change-me-change-me-4f1c'],
    ['HOLDFAST_MASTER_KEY', 'bm90LTMyLWJ5dGVz-4f1c'],
  ])('never repeats the value of the secret %s', (name, value) => {
    expect(() => parseVariables({ [name]: value })).toThrow(`${name} is a value that does not fit`)
    expect(() => parseVariables({ [name]: value })).not.toThrow(value)
  })

  it('lets the environment win over the file, and says where each value came from', () => {
    const env = parseVariables({ PORT: '4000', HOST: '' }, { PORT: '5000', HOST: '0.0.0.0' })
    expect(env).toMatchObject({ PORT: 4000, HOST: '0.0.0.0', given: { PORT: 'environment', HOST: 'file' } })
  })

  it('refuses values that contradict each other', () => {
    expect(() => parseVariables({ DB_POOL_MIN: '9', DB_POOL_MAX: '3' })).toThrow(
      'DB_POOL_MIN is 9; it takes at most DB_POOL_MAX, which is 3.',
    )
    expect(parseVariables({ DB_POOL_MIN: '3', DB_POOL_MAX: '3' })).toMatchObject({ DB_POOL_MIN: 3 })
    expect(() => parseVariables({ DB_DIRECT_PORT: '5433' })).toThrow(
      'DB_DIRECT_PORT is set but DB_DIRECT_HOST is not; it takes the host name of the server itself.',
    )
    expect(() => parseVariables({ DB_TYPE: 'postgresql' })).toThrow('DB_HOST is not set')
    expect(() => parseVariables({ REDIS_CLUSTER_ENABLED: 'true' })).toThrow('REDIS_CLUSTER_NODES is not set')
    const sentinels = { REDIS_SENTINELS: 's1:26379,s2:26379' }
    expect(() =>
      parseVariables({ ...sentinels, REDIS_CLUSTER_ENABLED: 'true', REDIS_CLUSTER_NODES: 'r1:6379' }),
    ).toThrow('remove one of them')
    expect(() => parseVariables({ ...sentinels, REDIS_HOST: 'r1' })).toThrow('remove REDIS_HOST')
  })

  it('reads sizes and spans with their units', () => {
    const env = parseVariables({ MIGRATION_UPLOAD_MAX: '512 MB', JWT_ACCESS_EXPIRES_IN: '90s' })
    expect(env).toMatchObject({ MIGRATION_UPLOAD_MAX: 512 * 1024 ** 2, JWT_ACCESS_EXPIRES_IN: 90_000 })
  })

  it('marks every variable whose value must not be shown', () => {
    const secret = Object.entries(variables).filter(([, one]) => one.secret)
    expect(secret.map(([name]) => name)).toEqual([
      'HOLDFAST_MASTER_KEY',
      'HOLDFAST_MASTER_KEYS_PREVIOUS',
      'METRICS_TOKEN',
      'DB_PASSWORD',
      'REDIS_PASSWORD',
      'REDIS_SENTINEL_PASSWORD',
      'DB_OWNER_PASSWORD',
      'OTEL_EXPORTER_OTLP_HEADERS',
      'BACKUP_PASSPHRASE',
      'JWT_SECRET',
    ])
  })
})
