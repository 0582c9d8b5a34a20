import { bearer, enrolByProgram, program, setUpByProgram } from '@/e2e/program'
import type { RunningConsole } from '@/e2e/server'

export interface Moved {
  pauseMilliseconds: number
  rowsBroughtOver: number
}

/** What the bench asks for as the console's admin, with a second factor for what takes one. */
export interface Admin {
  /** An API key that may write. */
  createKey(): Promise<string>
  /** Copies the console's own store to the environment's PostgreSQL; answers the run when it has validated. */
  copyStore(): Promise<string>
  move(way: 'switchOver' | 'switchBack', run: string): Promise<Moved>
  /** Names of all connections. */
  connectionNames(): Promise<Set<string>>
}

const WINDOW = 10
const POLL_MS = 100

export async function openAdmin(console: RunningConsole): Promise<Admin> {
  const { call, query, post } = program(console)
  let { accessToken: token } = await setUpByProgram(console)
  const { app, verified } = await enrolByProgram(console.url, token, WINDOW)
  token = verified.body.tokens?.accessToken ?? token

  const good = <T>({ status, body }: { status: number; body: T }): T => {
    if (status !== 200) throw new Error(`The console answered ${status}: ${JSON.stringify(body)}`)
    return body
  }
  const ask = async (procedure: string, input: object = {}) =>
    good(await call(procedure, input, bearer(token)))
  const read = async (path: string) => good(await query(path, bearer(token)))

  async function stepUp(action: string, input: object) {
    const granted = good(await post('/api/auth/step-up', { action, input, code: app.next() }, bearer(token)))
    token = granted.tokens.accessToken
    const headers = { ...bearer(token), 'holdfast-step-up': granted.grantId }
    return good(await call(action, input, headers))
  }

  async function until(id: string, holds: (run: { state: string; phase: string | null }) => boolean) {
    for (;;) {
      const run = await read(`migration.run?input=${encodeURIComponent(JSON.stringify({ id }))}`)
      if (run.error || run.state === 'failed') throw new Error(`The run failed: ${JSON.stringify(run.error)}`)
      if (holds(run)) return run
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
  }

  return {
    async createKey() {
      const input = { name: 'writer', permissions: ['migration:manage'], days: 1 }
      return (await stepUp('security.createApiKey', input)).key
    },
    async copyStore() {
      const { id } = await ask('migration.create', {
        source: { kind: 'store' },
        target: { kind: 'environment' },
      })
      const { checks } = await until(id, ({ phase }) => phase === null)
      const amber = checks.filter(({ state }: { state: string }) => state === 'amber')
      if (amber.length > 0) {
        await ask('migration.acknowledge', { id, checks: amber.map((check: { id: string }) => check.id) })
      }
      await stepUp('migration.start', { id })
      await until(id, ({ state }) => state === 'completed')
      return id
    },
    move: (way, id) => stepUp(`migration.${way}`, { id }),
    async connectionNames() {
      const { connections } = await read('migration.targets')
      return new Set(connections.map(({ name }: { name: string }) => name))
    },
  }
}
