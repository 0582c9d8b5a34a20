import type { Store } from '@/db/store'
import type { Clock } from '@/server/clock'
import type { Log } from '@/server/log'
import { endsWithin } from '@/server/patience'
import { Repeating } from '@/server/repeating'
import { type ChannelRow, type Claimed, claim, dueChannels } from './claim'
import { pauseAfter } from './schedule'
import { giveBack, noteDead, noteDelivered, noteFailed, switchOff } from './settle'
import type { Message, Sent } from './types'

export interface SenderDeps {
  store: Store
  clock: Clock
  log: Log
  /** Name of this process: whose lease it is. */
  instance: string
  /** Sends one message, once. Throws the reason of the signal, or what nobody expected. */
  send: (channel: ChannelRow, message: Message, signal: AbortSignal) => Promise<Sent>
  /** How often it is looked for what is due, in ms; every second without. */
  periodMs?: number | undefined
}

const PERIOD_MS = 1_000
/** Longer than any try takes: who does not come back within is dead. */
export const leaseMs = 90_000
/** What running tries get to end by themselves when the console stops, and then to give back what they hold. */
const GRACE_MS = 1_000

/**
 * Sends what is due, in every instance: a delivery is taken by lease, so that one of them sends it. A console that
 * dies between sending and noting it leaves the lease to run out, and another sends it again with the same id.
 */
export class Sender {
  readonly #deps: SenderDeps
  readonly #ticks: Repeating
  readonly #stopping = new AbortController()
  /** Channels that this process sends for now. */
  readonly #busy = new Map<string, Promise<void>>()

  constructor(deps: SenderDeps) {
    this.#deps = deps
    this.#ticks = new Repeating({
      ...{ period: deps.periodMs ?? PERIOD_MS, pace: 'rest', tick: () => this.#tick() },
      failed: (error, again) => again || deps.log.warn({ error }, 'alerts could not be sent'),
    })
  }

  start(): void {
    this.#ticks.start()
  }

  async close(): Promise<void> {
    await this.#ticks.stop()
    const all = () => Promise.all(this.#busy.values())
    if (await endsWithin(GRACE_MS, all())) return
    this.#stopping.abort(new Error('the console stops'))
    await endsWithin(GRACE_MS, all())
  }

  async #tick(): Promise<void> {
    const { store, clock, log } = this.#deps
    for (const id of await dueChannels({ store }, clock.now())) {
      if (this.#busy.has(id)) continue
      const work = this.#serve(id)
        .catch((error: unknown) => log.warn({ error, channel: id }, 'alerts of a channel could not be sent'))
        .finally(() => this.#busy.delete(id))
      this.#busy.set(id, work)
    }
  }

  /** Sends what is due for one channel; a slow receiver keeps nobody else waiting. */
  async #serve(channelId: string): Promise<void> {
    const { store, clock, instance: owner } = this.#deps
    while (!this.#stopping.signal.aborted) {
      const now = clock.now()
      const claimed = await store.run(claim, { channelId, owner, now, until: now + leaseMs })
      if (!claimed) return
      await Promise.all(claimed.messages.map((message) => this.#send(claimed.channel, message)))
    }
  }

  async #send(channel: ChannelRow, claimed: Claimed): Promise<void> {
    const { store, clock, log, instance: owner, send } = this.#deps
    const { id, deliveries: ids, alerts } = claimed
    const held = { channelId: channel.id, ids, owner }
    let sent: Sent
    try {
      sent = await send(channel, { id, alerts, more: 0 }, this.#stopping.signal)
    } catch (error) {
      if (this.#stopping.signal.aborted) {
        await store.run(giveBack, { ...held, nextAt: clock.now(), error: null })
        return
      }
      log.error({ error, channel: channel.id }, 'an alert could not be sent')
      sent = {
        ok: false,
        error: 'The console could not send it; its log tells why.',
        answer: null,
        tookMs: 0,
      }
    }
    const now = clock.now()
    const said = { ...held, now, answer: sent.answer, tookMs: sent.tookMs }
    if (sent.ok) await store.run(noteDelivered, said)
    else if (sent.gone) await store.run(switchOff, { ...said, error: sent.error })
    else if (sent.unsent)
      await store.run(giveBack, { ...held, error: sent.error, nextAt: now + (sent.retryAfterMs ?? 0) + 500 })
    else {
      const pause = pauseAfter(claimed.attempts, sent.retryAfterMs)
      if (pause === null) await store.run(noteDead, { ...said, error: sent.error })
      else await store.run(noteFailed, { ...said, error: sent.error, nextAt: now + pause })
    }
  }
}
