import { parseOptions } from '@node-rs/argon2'
import { describe, expect, it } from 'vitest'
import { isHoldfastError } from '@/server/errors'
import { openPasswords } from './passwords'

describe('passwords', () => {
  it('are hashed by argon2id at the cost that OWASP names, each with its own salt', async () => {
    const passwords = openPasswords()
    const [one, two] = await Promise.all([
      passwords.hash('a long enough word'),
      passwords.hash('a long enough word'),
    ])
    expect(one).not.toBe(two)
    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    expect(parseOptions(one)).toMatchObject({ memoryCost: 19_456, timeCost: 2, parallelism: 1 })
  })

  it('match only themselves, however their accents were typed', async () => {
    const passwords = openPasswords()
    const hash = await passwords.hash('caf\u00e9 on the corner')
    expect(await passwords.verify(hash, 'cafe\u0301 on the corner')).toBe(true)
    expect(await passwords.verify(hash, 'cafe on the corner')).toBe(false)
  })

  it('never match an unknown user, and take as long as for a known one', async () => {
    const passwords = openPasswords({ parallel: 1 })
    const hash = await passwords.hash('a long enough word')
    await passwords.verify(null, 'warm')
    const times = { known: [] as number[], unknown: [] as number[] }
    for (let round = 0; round < 15; round++) {
      const start = performance.now()
      expect(await passwords.verify(hash, 'a wrong long word')).toBe(false)
      const between = performance.now()
      expect(await passwords.verify(null, 'a wrong long word')).toBe(false)
      times.known.push(between - start)
      times.unknown.push(performance.now() - between)
    }
    const median = (values: number[]) => values.sort((a, b) => a - b)[7] ?? 0
    const ratio = median(times.known) / median(times.unknown)
    expect(ratio).toBeGreaterThan(0.5)
    expect(ratio).toBeLessThan(2)
  })

  it('are refused beyond the queue instead of piling up, and go on afterwards', async () => {
    const passwords = openPasswords({ parallel: 1, queue: 2 })
    const results = await Promise.allSettled(
      Array.from({ length: 6 }, () => passwords.hash('a long enough word')),
    )
    const refused = results.filter((result) => result.status === 'rejected')
    expect(results.length - refused.length).toBe(3)
    for (const { reason } of refused) {
      expect(isHoldfastError(reason) && reason.code).toBe('TOO_MANY_REQUESTS')
    }
    await expect(passwords.hash('a long enough word')).resolves.toContain('$argon2id$')
  })
})
