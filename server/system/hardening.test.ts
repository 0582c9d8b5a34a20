import { describe, expect, it } from 'vitest'
import { type HardeningFacts, type HardeningLine, judgeHardening } from './hardening'

const HOUR = 3_600_000
const now = 1_800_000_000_000

/** A console as it starts by one command. */
const bare: HardeningFacts = {
  now,
  factors: { app: false, passkeys: 0 },
  store: { dialect: 'sqlite', place: 'data/holdfast.db' },
  replicas: [],
  cache: { mode: 'memory', state: 'memory', place: null },
  url: 'http://localhost:3000',
  backup: { lastAt: null, maxAgeMs: null },
  channels: [],
}
const postgresql = { dialect: 'postgresql', place: 'db:5432' } as const
const follows = { place: 'b:5432', because: null }
const channel: HardeningFacts['channels'][number] = {
  ...{ name: 'Pager', enabled: true, updatedAt: now, testedAt: null, lastDelivery: null, lastError: null },
}

const judged = (facts: Partial<HardeningFacts>, id: HardeningLine['id']) => {
  const line = judgeHardening({ ...bare, ...facts }).lines.find((each) => each.id === id)
  if (!line) throw new Error(`There is no line ${id}.`)
  return line
}

describe('what is hardened', () => {
  it('is nothing of a console that was just started: each line says what it is for and how to go on', () => {
    const { done, lines } = judgeHardening(bare)
    expect(done).toBe(0)
    expect(lines.map(({ id }) => id)).toEqual([
      ...['factor', 'postgresql', 'replica', 'redis', 'tls', 'backups', 'alerts'],
    ])
    for (const { step, detail, protects } of lines) {
      expect(step).not.toBeNull()
      expect([detail, protects].every((sentence) => /^[A-Z].*\.$/.test(sentence))).toBe(true)
    }
  })

  it('is a factor of one’s own, of either kind', () => {
    expect(judged({}, 'factor').step).toMatchObject({ kind: 'page', href: '/account#factors' })
    expect(judged({ factors: { app: true, passkeys: 2 } }, 'factor')).toMatchObject({
      done: true,
      step: null,
      detail: 'You prove yourself by an authenticator app and 2 passkeys.',
    })
    expect(judged({ factors: { app: false, passkeys: 1 } }, 'factor').done).toBe(true)
  })

  it('is PostgreSQL, to which a migration leads', () => {
    expect(judged({}, 'postgresql').step).toMatchObject({ href: '/migration/new' })
    expect(judged({ store: postgresql }, 'postgresql')).toMatchObject({ done: true, step: null })
  })

  it('is a replica that takes reads; one that is away is looked at, a missing one is set', () => {
    expect(judged({}, 'replica').step).toMatchObject({ href: '/migration/new' })
    expect(judged({ store: postgresql }, 'replica').step).toMatchObject({
      text: expect.stringMatching(/^DB_READ_HOST=/),
    })
    const away = { place: 'b:5432', because: 'It does not answer.' }
    expect(judged({ store: postgresql, replicas: [away] }, 'replica')).toMatchObject({
      done: false,
      detail: 'No replica takes reads. b:5432: It does not answer.',
      step: { kind: 'page', href: '/database/replicas' },
    })
    expect(judged({ store: postgresql, replicas: [away, follows] }, 'replica').done).toBe(true)
  })

  it('is a Redis that answers', () => {
    expect(judged({}, 'redis').step).toMatchObject({ text: expect.stringContaining('REDIS_HOST=') })
    const cache = { mode: 'cluster', state: 'redis', place: 'redis:6379' } as const
    expect(judged({ cache }, 'redis')).toMatchObject({ done: true, step: null })
    for (const state of ['degraded', 'memory', 'probing'] as const) {
      expect(judged({ cache: { ...cache, state } }, 'redis')).toMatchObject({
        done: false,
        step: { href: '/cache' },
      })
    }
  })

  it('is https, and not plain http from this machine', () => {
    expect(judged({}, 'tls').detail).toBe(
      'You reach it over plain http at http://localhost:3000, from its own machine alone.',
    )
    expect(judged({ url: 'http://console.example.org' }, 'tls')).toMatchObject({
      done: false,
      detail: 'You reach it over plain http at http://console.example.org.',
      step: { text: expect.stringContaining('HOLDFAST_URL=https://') },
    })
    expect(judged({ url: 'https://console.example.org' }, 'tls')).toMatchObject({ done: true, step: null })
  })

  it('is a backup that is young enough, and whose end would be told', () => {
    const backup = (hours: number, maxAgeMs: number | null) =>
      judged({ backup: { lastAt: now - hours * HOUR, maxAgeMs } }, 'backups')
    expect(judged({}, 'backups').step).toMatchObject({ text: 'npm run backup -- create' })
    expect(backup(3, null)).toMatchObject({ done: false, step: { text: 'BACKUP_MAX_AGE=26h' } })
    expect(backup(27, 26 * HOUR)).toMatchObject({ done: false, step: { text: 'npm run backup -- create' } })
    expect(backup(3, 26 * HOUR)).toMatchObject({ done: true, detail: 'The last backup is 3 hours old.' })
  })

  it('is a channel by which something has arrived since it is as it is, and nothing fails', () => {
    const alerts = (...channels: Partial<typeof channel>[]) =>
      judged({ channels: channels.map((each) => ({ ...channel, ...each })) }, 'alerts')
    const label = (line: HardeningLine) => line.step?.label
    expect(label(judged({}, 'alerts'))).toBe('Add a channel')
    expect(label(alerts({ enabled: false, testedAt: now }))).toBe('Switch one on')
    expect(label(alerts({}))).toBe('Send a test')
    expect(label(alerts({ testedAt: now - 1, lastDelivery: { at: now - 1 } }))).toBe('Send a test')
    expect(alerts({ testedAt: now, lastError: 'It answered 500.' })).toMatchObject({
      done: false,
      detail: 'Pager does not deliver. It answered 500.',
      step: { label: 'See why' },
    })
    expect(alerts({ testedAt: now })).toMatchObject({ done: true, detail: 'Pager delivers.' })
    expect(alerts({ lastError: 'It answered 500.' }, { name: 'Mail', lastDelivery: { at: now } }).done).toBe(
      true,
    )
  })
})
