import type { Store } from '@/db/store'
import type { DeliveryState } from '@/db/tables'
import type { Caller } from '@/server/audit'
import type { Clock } from '@/server/clock'
import type { Log } from '@/server/log'
import { Repeating } from '@/server/repeating'
import { MasterKeyError, type Vault } from '@/server/vault'
import { noteTest } from './channel-units'
import { type Channels, factsOf, openChannels, readChannel } from './channels'
import type { ChannelRow } from './claim'
import { cleanAlerts } from './cleanup'
import { listAlerts, listChannels, listDeliveries, type Page, readUnseen } from './lists'
import { type Connect, sendMail } from './mail'
import { openSecrets } from './sealed'
import { markSeen, retryDead, type Seen } from './seen'
import { Sender } from './sender'
import type {
  AlertEntry,
  Channel,
  DeliveryEntry,
  EmailFacts,
  EmailSecrets,
  Message,
  Place,
  Sent,
  TestResult,
  Unseen,
  WebhookFacts,
  WebhookSecrets,
} from './types'
import { type Request, sendWebhook } from './webhook'

export { type NewAlert, raiseAlert } from './raise'
export type * from './types'

/** Alerts: in the console, and where else they are sent. */
export interface Alerts {
  list(page: { before?: Place; limit: number; unseen?: boolean }): Promise<Page<AlertEntry>>
  unseen(): Promise<Unseen>
  /** Answers how many were put away. */
  markSeen(seen: Seen, by: Caller): Promise<number>
  channels: Channels & {
    list(): Promise<Channel[]>
    /** Sends a test at once, whether the channel is on or not. NOT_FOUND. */
    test(channel: { id: string }, by: Caller): Promise<TestResult>
  }
  deliveries(page: {
    before?: Place
    limit: number
    state?: DeliveryState
    channelId?: string
  }): Promise<Page<DeliveryEntry>>
  /** Tries dead letters again. Answers how many. */
  retry(deliveries: { ids: string[] }, by: Caller): Promise<number>
  /** Begins to send. */
  start(): void
  close(): Promise<void>
}

export interface AlertsDeps {
  store: Store
  vault: Vault
  clock: Clock
  log: Log
  /** Name of this process. */
  instance: string
  request: Request
  connect: Connect
}

const CLEAN_MS = 3_600_000

/** Opens alerts on the store; nothing is sent before `start()`. */
export function openAlerts(deps: AlertsDeps, { url, periodMs }: { url: string; periodMs?: number }): Alerts {
  const { store, vault, clock, log } = deps
  const now = () => clock.now()
  const send = async (channel: ChannelRow, message: Message, signal: AbortSignal): Promise<Sent> => {
    const { id, name, kind, secretSealed } = channel
    try {
      if (kind === 'webhook') {
        const { previousUntil } = factsOf<WebhookFacts>(channel)
        const secrets = openSecrets<WebhookSecrets>(vault, id, secretSealed)
        return await sendWebhook({ ...deps, now, url }, message, { ...secrets, previousUntil }, signal)
      }
      const { password } = openSecrets<EmailSecrets>(vault, id, secretSealed)
      const mailbox = { name, config: factsOf<EmailFacts>(channel), password }
      return await sendMail({ ...deps, now, url }, message, mailbox, signal)
    } catch (error) {
      if (!(error instanceof MasterKeyError)) throw error
      const remedy = 'Add that key to HOLDFAST_MASTER_KEYS_PREVIOUS, or remove the channel and add it again.'
      return { ok: false, error: `${error.message} ${remedy}`, answer: null, tookMs: 0 }
    }
  }
  const sender = new Sender({ ...deps, send, periodMs })
  const cleaning = new Repeating({
    ...{ period: CLEAN_MS, pace: 'rest', tick: async () => void (await cleanAlerts(store, now())) },
    failed: (error) => log.warn({ error }, 'old alerts could not be removed'),
  })
  const closing = new AbortController()
  return {
    list: (page) => listAlerts(store, page),
    unseen: () => readUnseen(store),
    markSeen: (seen, by) => store.run(markSeen, { seen, by, now: now() }),
    channels: {
      ...openChannels(deps),
      list: () => listChannels(store),
      async test({ id }, by) {
        const channel = await readChannel(store, id)
        const message = { id: `test-${crypto.randomUUID()}`, alerts: [], more: 0 }
        const sent = await send(channel, message, closing.signal)
        const { ok, answer, tookMs } = sent
        const result = { answer, error: sent.ok ? null : sent.error, tookMs }
        await store.run(noteTest, { channel, result, by, now: now() })
        return { ok, ...result }
      },
    },
    deliveries: (page) => listDeliveries(store, page),
    retry: ({ ids }, by) => store.run(retryDead, { ids, by, now: now() }),
    start() {
      sender.start()
      cleaning.start()
    },
    async close() {
      closing.abort(new Error('the console stops'))
      await Promise.all([sender.close(), cleaning.stop()])
    },
  }
}
