import type { Store } from '@/db/store'
import { type Caller, system } from '@/server/audit'
import { openLog } from '@/server/log'
import { openSecurity, type SecurityConfig } from '@/server/security'
import { openVault } from '@/server/vault'

/** A clock that stands still until a test moves it. */
export function testClock(start = 1_760_000_000_000) {
  let time = start
  return {
    now: () => time,
    pass(ms: number) {
      time += ms
    },
  }
}

export const testVault = openVault(Buffer.alloc(32, 9))

export const ana = { email: 'ana@example.org', name: 'Ana', password: 'a horse, a battery and a staple' }

const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'

/** Who asks, as a browser with a device cookie. */
export function browser(deviceId = 'ana-laptop', address = '198.51.100.7') {
  const by: Caller = { ...system, actor: 'anonymous', address, userAgent: firefox, requestId: 'request-1' }
  return { by, deviceId }
}

/** The accounts of a test's store: a clock to move, and Ana, who is an admin. */
export async function openAccounts(store: Store, config: Partial<SecurityConfig> = {}) {
  const clock = testClock()
  const deps = { store, vault: testVault, clock, log: openLog('error') }
  const settings = {
    accessMs: 900_000,
    refreshMs: 7 * 86_400_000,
    url: 'http://localhost:3000',
    ...config,
  }
  const security = openSecurity(deps, settings)
  const ended: string[] = []
  security.onSessionEnded((id) => ended.push(id))
  const { userId } = await security.createUser({ ...ana, role: 'admin' }, system)
  return { security, clock, ended, userId, another: () => openSecurity(deps, settings) }
}

/** Headers of a request with a bearer token. */
export const bearer = (token: string) => new Headers({ authorization: `Bearer ${token}` })
