import { randomBytes, randomUUID } from 'node:crypto'
import { eq } from 'drizzle-orm'
import type { Store } from '@/db/store'
import type { Clock } from '@/server/clock'
import { HoldfastError } from '@/server/errors'
import type { Vault } from '@/server/vault'
import { addChannel, changeChannel, noChannel, removeChannel } from './channel-units'
import type { ChannelRow } from './claim'
import { openSecrets, sealSecrets } from './sealed'
import type {
  ChannelInput,
  EmailFacts,
  EmailInput,
  EmailSecrets,
  Use,
  WebhookFacts,
  WebhookInput,
  WebhookSecrets,
} from './types'
import { overlapMs } from './webhook'

export interface Channels {
  /** Adds a channel; a webhook's signing secret is answered this once. Takes a grant. */
  add(input: ChannelInput, use: Use): Promise<{ id: string; secret: string | null }>
  /** Takes a grant. Secrets that the input leaves out stay, unless they would go to another server. */
  change(input: ChannelInput & { id: string }, use: Use): Promise<void>
  /** Takes a grant. */
  remove(input: { id: string }, use: Use): Promise<void>
  /** A new signing secret; the one before signs, too, for a day. Takes a grant. */
  rotateSecret(input: { id: string }, use: Use): Promise<{ secret: string; previousUntil: number }>
}

interface Deps {
  store: Store
  vault: Vault
  clock: Clock
}

export function openChannels({ store, vault, clock }: Deps): Channels {
  const written = (id: string, input: ChannelInput, config: object, secrets: object) => ({
    ...{ id, name: input.name, kind: input.kind, leastSeverity: input.leastSeverity, enabled: input.enabled },
    config: { ...config },
    secretSealed: sealSecrets(vault, id, secrets),
  })
  return {
    async add(input, use) {
      const id = randomUUID()
      const now = clock.now()
      const made = input.kind === 'webhook' ? newWebhook(input) : newMailbox(input)
      await store.run(addChannel, { ...use, input, now, row: written(id, input, made.config, made.secrets) })
      return { id, secret: 'secret' in made.secrets ? made.secrets.secret : null }
    },

    async change(input, use) {
      const before = await readChannel(store, input.id)
      if (before.kind !== input.kind) throw bad('A channel stays of its kind.', 'Add another one.')
      const made =
        input.kind === 'webhook'
          ? changedWebhook(input, factsOf(before), openSecrets(vault, before.id, before.secretSealed))
          : changedMailbox(input, factsOf(before), openSecrets(vault, before.id, before.secretSealed))
      const row = written(before.id, input, made.config, made.secrets)
      const step = { ...use, input, now: clock.now() }
      await store.run(changeChannel, { ...step, row, seenAt: before.updatedAt, action: 'changeChannel' })
    },

    async remove(input, use) {
      await store.run(removeChannel, { ...use, input, id: input.id, now: clock.now() })
    },

    async rotateSecret(input, use) {
      const before = await readChannel(store, input.id)
      if (before.kind !== 'webhook')
        throw bad('A mailbox has no signing secret.', 'Change its password instead.')
      const now = clock.now()
      const secrets = openSecrets<WebhookSecrets>(vault, before.id, before.secretSealed)
      const secret = newSecret()
      const config: WebhookFacts = { ...factsOf(before), previousUntil: now + overlapMs }
      const { id, name, kind, leastSeverity, enabled } = before
      const secretSealed = sealSecrets(vault, id, { ...secrets, secret, previous: secrets.secret })
      await store.run(changeChannel, {
        ...{ ...use, input, now, action: 'rotateSecret', seenAt: before.updatedAt },
        row: { id, name, kind, leastSeverity, enabled, secretSealed, config: { ...config } },
      })
      return { secret, previousUntil: now + overlapMs }
    },
  }
}

/** The open part of a channel, by its kind. */
export const factsOf = <T extends WebhookFacts | EmailFacts>({ config }: ChannelRow) => config as unknown as T

export async function readChannel(store: Store, id: string): Promise<ChannelRow> {
  const { alertChannels } = store.tables
  const [row] = await store.db.select().from(alertChannels).where(eq(alertChannels.id, id))
  if (!row) throw noChannel()
  return row
}

/** After Standard Webhooks: 24 to 64 random bytes. */
const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`

interface Made<C, S> {
  config: C
  secrets: S
}

function newWebhook({ url, headers = [] }: WebhookInput): Made<WebhookFacts, WebhookSecrets> {
  if (url === undefined) throw bad('url: give the address of the receiver.')
  return {
    config: { origin: parseUrl(url).origin, headerNames: namesOf(headers), previousUntil: null },
    secrets: { url, headers: Object.fromEntries(pairs(headers)), secret: newSecret(), previous: null },
  }
}

function changedWebhook(
  { url, headers }: WebhookInput,
  facts: WebhookFacts,
  secrets: WebhookSecrets,
): Made<WebhookFacts, WebhookSecrets> {
  const next = url ?? secrets.url
  const { origin } = parseUrl(next)
  // Who may change the address could read a header's token at a receiver of their own.
  if (origin !== facts.origin && headers === undefined && facts.headerNames.length > 0)
    throw bad('headers: give them again, since the address leads to another server.')
  return {
    config: { ...facts, origin, ...(headers ? { headerNames: namesOf(headers) } : {}) },
    secrets: { ...secrets, url: next, ...(headers ? { headers: Object.fromEntries(pairs(headers)) } : {}) },
  }
}

function newMailbox({ password = null, ...input }: EmailInput): Made<EmailFacts, EmailSecrets> {
  if (input.user !== null && password === null) throw bad('password: give the password of this user.')
  if (input.user !== null && input.tls === 'none')
    throw bad('tls: a password is not sent without TLS.', 'Choose TLS or STARTTLS, or leave the user out.')
  return { config: mailFacts(input), secrets: { password: input.user === null ? null : password } }
}

function changedMailbox(
  input: EmailInput,
  facts: EmailFacts,
  secrets: EmailSecrets,
): Made<EmailFacts, EmailSecrets> {
  if (input.password !== undefined || input.user === null) return newMailbox(input)
  const same = input.host === facts.host && input.port === facts.port && input.user === facts.user
  // As with headers: a password goes to the server that it was given for, and to no other.
  if (!same) throw bad('password: give it again, since the server or the user is another.')
  return newMailbox({ ...input, password: secrets.password })
}

function mailFacts({ host, port, tls, user, from, to, hourly }: Omit<EmailInput, 'password'>): EmailFacts {
  return { host, port, tls, user, from, to: [...new Set(to)], hourly }
}

function parseUrl(url: string): URL {
  const parsed = URL.canParse(url) ? new URL(url) : null
  if (!parsed || !/^https?:$/.test(parsed.protocol))
    throw bad('url: write it like https://example.com/path.', 'It begins with https:// or http://.')
  if (parsed.username || parsed.password)
    throw bad('url: it holds a user name or password.', 'Send them in an Authorization header instead.')
  return parsed
}

/** They are set by the message or the connection. */
const ours =
  /^(webhook-.*|content-.*|host|connection|keep-alive|transfer-encoding|upgrade|expect|te|trailer|proxy-.*|user-agent)$/

function pairs(headers: readonly { name: string; value: string }[]): [string, string][] {
  const all = headers.map(({ name, value }): [string, string] => [name.toLowerCase(), value])
  for (const [at, [name, value]] of all.entries()) {
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]{1,100}$/.test(name))
      throw bad(`headers: “${name}” is no name of a header.`)
    if (ours.test(name)) throw bad(`headers: ${name} is set by the console itself.`)
    if (!/^[\t\x20-\x7e]{1,2000}$/.test(value)) throw bad(`headers: the value of ${name} can not be sent.`)
    if (all.findIndex(([other]) => other === name) !== at) throw bad(`headers: ${name} is given twice.`)
  }
  return all
}

const namesOf = (headers: readonly { name: string; value: string }[]) => pairs(headers).map(([name]) => name)

function bad(message: string, remedy?: string): HoldfastError {
  return new HoldfastError('BAD_INPUT', remedy ? { message, remedy } : message)
}
