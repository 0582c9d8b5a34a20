import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Store } from '@/db/store'
import type { AuditKey } from '@/db/unit'
import { systemClock } from '@/server/clock'
import { openLog } from '@/server/log'
import { openSecurity, type SecurityConfig } from '@/server/security'
import { browser, testVault } from './accounts'

/** The accounts of every process. */
export const refresherConfig = {
  url: 'http://localhost:3000',
  accessMs: 900_000,
  refreshMs: 7 * 86_400_000,
  maxSessionsPerUser: 1_000,
} satisfies SecurityConfig

export interface RefresherSetUp {
  url: string
  /** The key in base64: it goes over the command line. */
  auditKey: { id: string; key: string }
}

export interface RefreshOrder {
  id: string
  refreshToken: string
  /** So many at once. */
  times: number
}

export interface RefreshAnswer {
  id: string
  /** The successor that each answer brought; null where it was refused. */
  tokens: (string | null)[]
  errors: string[]
}

/** Starts processes that each hold an instance of the accounts on one PostgreSQL database. */
export async function startRefreshers(url: string, auditKey: AuditKey, count: number) {
  const key = Buffer.from(auditKey.key).toString('base64')
  const setUp: RefresherSetUp = { url, auditKey: { id: auditKey.id, key } }
  const file = join(process.cwd(), 'dist/testing/refresher.mjs')
  const children = Array.from({ length: count }, () => fork(file, [JSON.stringify(setUp)], { execArgv: [] }))
  await Promise.all(children.map((child) => answerOf(child, 'ready')))
  let orders = 0

  return {
    /** Refreshes one token `parallel` times at once over all processes. Throws when one was refused. */
    async refresh(refreshToken: string, parallel: number): Promise<(string | null)[]> {
      const shares = children.map((_, index) => Math.ceil((parallel - index) / count))
      const answers = await Promise.all(
        children.map((child, index) => {
          const order: RefreshOrder = { id: String(++orders), refreshToken, times: shares[index] ?? 0 }
          const answer = answerOf(child, order.id)
          child.send(order)
          return answer
        }),
      )
      const [error] = answers.flatMap((answer) => answer.errors)
      if (error) throw new Error(error)
      return answers.flatMap((answer) => answer.tokens)
    },
    async close(): Promise<void> {
      const left = children.filter((child) => child.exitCode === null && child.signalCode === null)
      const exits = left.map((child) => once(child, 'exit'))
      for (const child of left) child.disconnect()
      await Promise.all(exits)
    },
  }
}

/** Opens a session at the time of day, which the processes go by. */
export async function openSessionNow(store: Store, userId: string) {
  const security = openSecurity(
    { store, vault: testVault, clock: systemClock, log: openLog('error') },
    refresherConfig,
  )
  const signedIn = await security.sessions.open({ userId, passwordHash: null, methods: ['pwd'] }, browser())
  if (!signedIn?.refreshToken) throw new Error('No session could be opened.')
  return { sessionId: signedIn.session.sessionId, refreshToken: signedIn.refreshToken }
}

function answerOf(child: ChildProcess, id: string): Promise<RefreshAnswer> {
  return new Promise((resolve, reject) => {
    const exit = (code: number | null) => reject(new Error(`A refresher ended with ${code}.`))
    const message = (answer: RefreshAnswer) => {
      if (answer.id !== id) return
      child.off('exit', exit)
      child.off('message', message)
      resolve(answer)
    }
    child.on('exit', exit)
    child.on('message', message)
  })
}
