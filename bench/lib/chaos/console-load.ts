import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'

/** Who asks: an API key that may report and block, and the access token of a session. */
export interface Credentials {
  key: string
  session: string
}

export interface Tally {
  reads: number
  writes: number
  /** Sent a second time, for the first failed or did not answer in time. */
  again: number
  /** Not done after that. */
  failed: number
  messages: string[]
}

export interface ConsoleLoad {
  tally: Tally
  /** Markers of writes that were answered as done, as they stand in the store. */
  acknowledged: Set<string>
  /** Sends so many failed sign-ins of one account from one address in one write. */
  attack(account: string, address: string): void
  /** No new requests; resolves when all are answered. */
  stop(): Promise<void>
}

/** A stopped console answers nothing: after so long a client gives up and asks again. */
const DEADLINE_MS = 10_000
/** While the first attempt is being worked on (409) the second waits, at most so long in all. */
const PATIENCE_MS = 40_000
const MOST_OPEN = 400

/**
 * Requests at a steady rate, whatever becomes of them: one half reads, the other writes events and now and then a
 * block. Every write carries an Idempotency-Key; what fails is sent once more.
 */
export function startConsoleLoad(
  { url, random }: { url: string; random: () => number },
  { key, session }: Credentials,
  perSecond: number,
): ConsoleLoad {
  const tally: Tally = { reads: 0, writes: 0, again: 0, failed: 0, messages: [] }
  const acknowledged = new Set<string>()
  const open = new Set<Promise<void>>()
  let count = 0
  let stopped = false
  const started = performance.now()

  async function send(path: string, token: string, body?: unknown): Promise<boolean> {
    const headers = {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json', 'idempotency-key': randomUUID() }),
    }
    const request = { headers, ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }) }
    const begun = performance.now()
    const first = await attempt(`${url}${path}`, request)
    if (first.ok) return true
    tally.again++
    for (;;) {
      const { ok, status, said } = await attempt(`${url}${path}`, request)
      if (ok) return true
      const busy = status === 409 && said.includes('IN_PROGRESS')
      if (busy && performance.now() - begun < PATIENCE_MS) {
        await pause(1_000)
        continue
      }
      tally.failed++
      const at = ((begun - started) / 1_000).toFixed(1)
      tally.messages.push(`at ${at} s ${path}: first ${first.status} ${first.said}; then ${status} ${said}`)
      return false
    }
  }

  const read = async () => {
    if (await send('/api/auth/me', session)) tally.reads++
  }
  const write = async (marker: string, path: string, body: unknown) => {
    if (!(await send(path, key, body))) return
    tally.writes++
    acknowledged.add(marker)
  }
  const report = (marker: string, events: object[]) =>
    write(marker, '/api/infrastructure/security/events', { source: 'shop', events })
  const event = { event: 'authn_login_success', outcome: 'success' }
  const block = (network: string) =>
    write(network, '/api/infrastructure/security/blocks/add', {
      ...{ network, reason: 'chaos', durationMs: 3_600_000 },
    })

  function one(): Promise<void> {
    const number = ++count
    const kind = random()
    if (kind < 0.5) return read()
    if (kind < 0.98) return report(`w${number}`, [{ ...event, actor: `w${number}` }])
    return block(`198.18.${(number >> 8) & 255}.${number & 255}`)
  }

  const keep = (work: Promise<void>) => {
    const kept = work.finally(() => open.delete(kept))
    open.add(kept)
  }
  const timer = setInterval(() => {
    if (!stopped && open.size < MOST_OPEN) keep(one())
  }, 1_000 / perSecond)

  return {
    tally,
    acknowledged,
    attack(account, address) {
      const failed = { event: 'authn_login_fail', outcome: 'failure', actor: account, address }
      keep(report(account, Array(12).fill(failed)))
    },
    async stop() {
      stopped = true
      clearInterval(timer)
      await Promise.all(open)
    },
  }
}

async function attempt(
  url: string,
  request: RequestInit,
): Promise<{ ok: boolean; status: number; said: string }> {
  try {
    const response = await fetch(url, { ...request, signal: AbortSignal.timeout(DEADLINE_MS) })
    const said = await response.text()
    return { ok: response.ok, status: response.status, said: said.slice(0, 200) }
  } catch (error) {
    const { message, cause } = error as Error
    return { ok: false, status: 0, said: `${message} ${cause instanceof Error ? cause.message : ''}`.trim() }
  }
}
