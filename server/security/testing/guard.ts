// The threat rules and the sender of alerts in a process of their own, as a console runs them, to be killed.
import { openPostgres } from '@/db/open'
import { Store } from '@/db/store'
import { openPool } from '@/db/testing/pools'
import { openLog } from '@/server/log'
import { openGuard, openOutbound } from '@/server/outbound'
import { openAlerts } from '../alerts'
import { openThreats } from '../threats'
import { testVault } from './accounts'

/** What the process gets as its argument; the key in base64. */
export interface GuardSetUp {
  url: string
  auditKey: { id: string; key: string }
  instance: string
  /** Its clock is so much ahead, ms. */
  aheadMs: number
}

const { url, auditKey, instance, aheadMs } = JSON.parse(process.argv[2] ?? '{}') as GuardSetUp
const pool = openPool({ connectionString: url, max: 4 })
const store = new Store(openPostgres(pool), { ...auditKey, key: Buffer.from(auditKey.key, 'base64') })
const clock = { now: () => Date.now() + aheadMs }
const log = openLog('error')
const outbound = openOutbound({ clock, log, guard: openGuard(['127.0.0.0/8']) }, [
  { name: 'webhooks', retries: 0, deadline: 60_000 },
])
const webhooks = outbound.pool('webhooks')
const alerts = openAlerts(
  {
    ...{ store, clock, log, vault: testVault, instance, connect: outbound.connect },
    request: (to, options) => webhooks.request(to, options),
  },
  { url: 'https://holdfast.example.org', periodMs: 100 },
)
const threats = openThreats({ store, clock, log, instance, ended: () => {} })

process.on('disconnect', () => process.exit(0))
await threats.start()
alerts.start()
process.send?.('ready')
