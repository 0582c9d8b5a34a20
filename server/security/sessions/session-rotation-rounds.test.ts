import { sql } from 'drizzle-orm'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Store } from '@/db/store'
import { needsPostgres, sharedPostgres } from '@/db/testing/shared'
import { openTestPostgres, openTestSqlite, testAuditKey } from '@/db/testing/stores'
import { browser, openAccounts } from '../testing/accounts'
import { openSessionNow, startRefreshers } from '../testing/refreshers'
import { soleSuccessor } from '../testing/refreshing'

/** Three processes beside everything else that a run starts. */
vi.setConfig({ testTimeout: 120_000 })

/** `npm run chaos -- sessions` does fifty. */
const rounds = 3
const parallels = [2, 10, 50]

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

describe('over three processes on PostgreSQL', () => {
  needsPostgres()
  it('2, 10 and 50 refreshes at once have one successor, round after round', async () => {
    const store = await openTestPostgres((step) => undo.push(step))
    const { userId } = await openAccounts(store)
    const { sessionId, refreshToken } = await openSessionNow(store, userId)
    const refreshers = await startRefreshers(await urlOf(store), testAuditKey, 3)
    undo.push(refreshers.close)
    let token = refreshToken
    for (let round = 0; round < rounds * parallels.length; round++) {
      const answers = await refreshers.refresh(token, parallels[round % parallels.length] ?? 2)
      token = await soleSuccessor(store, sessionId, answers)
    }
    expect(token).not.toBe(refreshToken)
  })
})

describe('in one process on SQLite', () => {
  it.each(parallels)('%i refreshes at once have one successor, round after round', async (parallel) => {
    const store = await openTestSqlite((step) => undo.push(step))
    const { security, signIn } = await openAccounts(store)
    const { session, refreshToken = '' } = await signIn()
    let token = refreshToken
    for (let round = 0; round < rounds; round++) {
      const answers = await Promise.all(
        Array.from({ length: parallel }, () => security.sessions.refresh(token, browser())),
      )
      const given = answers.map((answer) => answer.refreshToken)
      token = await soleSuccessor(store, session.sessionId, given)
    }
    expect(token).not.toBe(refreshToken)
  })
})

/** Where another process finds the database of a test's store. */
async function urlOf(store: Store): Promise<string> {
  const { rows } = await store.db.execute<{ name: string }>(sql`select current_database() as name`)
  return Object.assign(new URL(sharedPostgres().url), { pathname: `/${rows[0]?.name}` }).href
}
