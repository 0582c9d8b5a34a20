// One instance of the accounts in a process of its own, for tests and chaos: it refreshes what it is told to.
import { openPostgres } from '@/db/open'
import { Store } from '@/db/store'
import { openPool } from '@/db/testing/pools'
import { systemClock } from '@/server/clock'
import { openLog } from '@/server/log'
import { openSecurity } from '@/server/security'
import { browser, testVault } from './accounts'
import { type RefreshAnswer, type RefresherSetUp, type RefreshOrder, refresherConfig } from './refreshers'

const { url, auditKey } = JSON.parse(process.argv[2] ?? '{}') as RefresherSetUp
const pool = openPool({ connectionString: url, max: 10 })
const store = new Store(openPostgres(pool), { ...auditKey, key: Buffer.from(auditKey.key, 'base64') })
const security = openSecurity(
  { store, vault: testVault, clock: systemClock, log: openLog('error') },
  refresherConfig,
)

process.on('disconnect', () => process.exit(0))
process.on('message', async ({ id, refreshToken, times }: RefreshOrder) => {
  const answers = await Promise.allSettled(
    Array.from({ length: times }, () => security.sessions.refresh(refreshToken, browser())),
  )
  const answer: RefreshAnswer = {
    id,
    tokens: answers.map((each) => (each.status === 'fulfilled' ? (each.value.refreshToken ?? null) : null)),
    errors: answers.flatMap((each) => (each.status === 'rejected' ? [String(each.reason)] : [])),
  }
  process.send?.(answer)
})
// The first query opens what a first request would wait for.
await security.jwks()
process.send?.({ id: 'ready', tokens: [], errors: [] } satisfies RefreshAnswer)
