import { expect, it } from 'vitest'
import { describeStores } from '@/db/testing/stores'
import { systemClock } from './clock'
import { parseVariables } from './env'
import { noteConfiguration } from './noted-configuration'
import { openVault } from './vault'

describeStores((open) => {
  it('names what has changed between two starts, and no value of it', async () => {
    const store = await open()
    const deps = { store, clock: systemClock, vault: openVault(Buffer.alloc(32, 5)) }
    const start = (given: Record<string, string>) => noteConfiguration(deps, parseVariables(given))
    const secret = 'a secret of thirty-two characters or more'
    expect(await start({})).toBeNull()
    expect(await start({})).toBeNull()
    expect(await start({ JWT_SECRET: secret, MAX_LOGIN_ATTEMPTS: '7' })).toEqual([
      'JWT_SECRET',
      'MAX_LOGIN_ATTEMPTS',
    ])
    expect(await start({ JWT_SECRET: `${secret}!`, MAX_LOGIN_ATTEMPTS: '7' })).toEqual(['JWT_SECRET'])
    const { auditEvents, meta } = store.tables
    const events = await store.db.select().from(auditEvents)
    expect(events.map(({ event }) => event)).toEqual(Array(2).fill('sys_configuration_changed'))
    expect(JSON.parse(events[0]?.after ?? '')).toEqual({ variables: ['JWT_SECRET', 'MAX_LOGIN_ATTEMPTS'] })
    expect(JSON.stringify([events, await store.db.select().from(meta)])).not.toContain(secret)
  })
})
