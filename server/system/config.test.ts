import { describe, expect, it } from 'vitest'
import { describeConfig } from './config'

const variables = {
  PORT: { about: 'Port', takes: 'a port' },
  LIFE: { about: 'Life', takes: 'a time span such as 15m' },
  DB_PASSWORD: { about: 'Password', takes: 'a password', secret: true },
  DB_TYPE: { about: 'Where the store lives', takes: 'sqlite or postgresql' },
  MIGRATION_SOURCE_DIRS: { about: 'Folders', takes: 'folders', unused: true },
}

describe('effective configuration', () => {
  const entries = describeConfig({
    variables,
    env: {
      PORT: 3000,
      LIFE: 900_000,
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
    expect(of('LIFE')).toMatchObject({ value: '900000 ms' })
    expect(of('DB_TYPE')).toMatchObject({ value: 'postgresql', source: 'switched over' })
    expect(of('MIGRATION_SOURCE_DIRS')).toMatchObject({ value: null, unused: true })
  })

  it('shows of a secret its fingerprint alone', () => {
    expect(of('DB_PASSWORD')).toMatchObject({ value: 'set, fingerprint 13', source: 'environment' })
    expect(JSON.stringify(entries)).not.toContain('correct horse')
  })
})
