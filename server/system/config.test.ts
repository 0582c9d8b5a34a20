import { describe, expect, it } from 'vitest'
import { describeConfig } from './config'

const variables = {
  PORT: { about: 'Port', takes: 'a port' },
  LIFE: { about: 'Life', takes: 'a time span such as 15m' },
  WAIT: { about: 'Wait', takes: 'milliseconds' },
  UPLOAD: { about: 'Upload', takes: 'a size such as 2GB' },
  BLOCKS: { about: 'Blocks', takes: 'time spans such as 15m,1h,24h' },
  RATE: { about: 'Rate', takes: 'calls in a time such as 6000/1m, or off' },
  NO_RATE: { about: 'No rate', takes: 'calls in a time such as 6000/1m, or off' },
  RATES: { about: 'Rates', takes: 'procedures with their limits' },
  NO_RATES: { about: 'No rates', takes: 'procedures with their limits' },
  DB_PASSWORD: { about: 'Password', takes: 'a password', secret: true },
  DB_TYPE: { about: 'Where the store lives', takes: 'sqlite or postgresql' },
  MIGRATION_SOURCE_DIRS: { about: 'Folders', takes: 'folders' },
}

describe('effective configuration', () => {
  const entries = describeConfig({
    variables,
    env: {
      PORT: 3000,
      LIFE: 900_000,
      WAIT: 30_000,
      UPLOAD: 2 * 1024 ** 3,
      BLOCKS: [900_000, 5_400_000, 86_400_000],
      RATE: { most: 6_000, windowMs: 60_000 },
      NO_RATE: null,
      RATES: { 'auth.signIn': { most: 30, windowMs: 1_500 }, 'cache.clear': null },
      NO_RATES: {},
      DB_PASSWORD: 'correct horse',
      DB_TYPE: undefined,
      MIGRATION_SOURCE_DIRS: [],
      given: { DB_PASSWORD: 'environment' },
    },
    fingerprint: (secret) => String(secret.length),
    switchedOver: { DB_TYPE: 'postgresql' },
  })
  const of = (name: string) => entries.find((entry) => entry.name === name)

  it('tells value and source of every variable', () => {
    expect(of('PORT')).toMatchObject({ value: '3000', source: 'default', secret: false })
    expect(of('DB_TYPE')).toMatchObject({ value: 'postgresql', source: 'switched over' })
    expect(of('MIGRATION_SOURCE_DIRS')).toMatchObject({ value: null, source: 'default' })
  })

  it('writes values as the environment takes them', () => {
    expect(of('LIFE')?.value).toBe('15m')
    expect(of('WAIT')?.value).toBe('30000 ms')
    expect(of('UPLOAD')?.value).toBe('2GB')
    expect(of('BLOCKS')?.value).toBe('15m, 90m, 1d')
    expect(of('RATE')?.value).toBe('6000/1m')
    expect(of('NO_RATE')?.value).toBe('off')
    expect(of('RATES')?.value).toBe('auth.signIn=30/1500ms, cache.clear=off')
    expect(of('NO_RATES')?.value).toBe(null)
  })

  it('shows of a secret its fingerprint alone', () => {
    expect(of('DB_PASSWORD')).toMatchObject({ value: 'set, fingerprint 13', source: 'environment' })
    expect(JSON.stringify(entries)).not.toContain('correct horse')
  })
})
