import { randomBytes, randomUUID } from 'node:crypto'
import type { Store } from '@/db/store'
import { unit } from '@/db/unit'
import { system } from '@/server/audit'
import { type Clock, systemClock } from '@/server/clock'
import { inputHash, makeGrant } from '@/server/grants'
import { openLog } from '@/server/log'
import { openGuard, openOutbound } from '@/server/outbound'
import { openVault, type Vault } from '@/server/vault'
import { type Alerts, type NewAlert, openAlerts, raiseAlert } from '../alerts'
import type { Use } from '../alerts/types'

const log = openLog('error', () => {})
const ownVault = openVault(randomBytes(32))
export const url = 'https://holdfast.example.org'

export const raise = unit('test.raise', (tx, alert: NewAlert) => raiseAlert(tx, alert))

/** A clock that goes on when it is told to. */
export function handClock(): Clock & { pass(milliseconds: number): void } {
  let ahead = 0
  return {
    now: () => Date.now() + ahead,
    pass(milliseconds) {
      ahead += milliseconds
    },
  }
}

/** Who acts in tests: an admin, in one session. */
export const ana = { ...system, actor: 'ana@example.org', sessionId: 'session-of-ana' }

/** A grant for one action with one input, as a step-up makes it. */
export async function stepUp(store: Store, action: string, input: unknown): Promise<Use> {
  const { grantId } = await store.run(makeGrant, {
    ...{ sessionId: ana.sessionId, action: `security.alerts.${action}`, inputHash: inputHash(input) },
    ...{ method: 'otp' as const, by: ana, now: Date.now() },
  })
  return { by: ana, grantId }
}

/** One console's alerts on a store, as the runtime opens them; servers on this machine may be called. */
export function openInstance(
  store: Store,
  { clock = systemClock, vault = ownVault }: { clock?: Clock; vault?: Vault } = {},
): { alerts: Alerts; stop(): Promise<void> } {
  const outbound = openOutbound({ clock, log, guard: openGuard(['127.0.0.0/8']) }, [
    // As the runtime has it, but for the breaker: tests fail on purpose.
    { name: 'webhooks', retries: 0, deadline: 15_000, breaker: { failures: 1_000, openMs: 100 } },
  ])
  const pool = outbound.pool('webhooks')
  const alerts = openAlerts(
    {
      ...{ store, clock, log, vault },
      ...{ instance: randomUUID(), connect: outbound.connect },
      request: (to, options) => pool.request(to, options),
    },
    { url, periodMs: 20 },
  )
  return {
    alerts,
    async stop() {
      await alerts.close()
      await outbound.close()
    },
  }
}
