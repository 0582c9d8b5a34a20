import type { DeliveryState, Severity } from '@/db/tables'
import type { Caller } from '@/server/audit'

/** How mail is brought to its server: TLS from the first byte, TLS by STARTTLS or not at all, or none. */
export type MailTls = 'implicit' | 'starttls' | 'none'

/** What stands of a webhook in the open. Its address is sealed: many hold a token. */
export interface WebhookFacts {
  origin: string
  headerNames: string[]
  /** Until when messages bear the signature of the secret before, too; null without one. */
  previousUntil: number | null
}

/** What stands of a mailbox in the open. */
export interface EmailFacts {
  host: string
  port: number
  tls: MailTls
  /** Null: mail is handed over without signing in. */
  user: string | null
  from: string
  to: string[]
  /** Mails an hour; what is beyond waits, and goes in one. */
  hourly: number
}

/** What is sealed with the master key. */
export interface WebhookSecrets {
  url: string
  headers: Record<string, string>
  secret: string
  previous: string | null
}

export interface EmailSecrets {
  password: string | null
}

interface ChannelGeneral {
  name: string
  leastSeverity: Severity
  enabled: boolean
}

/** A channel as it is to be. What is absent stays as it was. */
export type WebhookInput = ChannelGeneral & {
  kind: 'webhook'
  url?: string | undefined
  headers?: { name: string; value: string }[] | undefined
}
export type EmailInput = ChannelGeneral & { kind: 'email'; password?: string | null | undefined } & EmailFacts
export type ChannelInput = WebhookInput | EmailInput

/** A channel as the page shows it, with how it fares. Times are UTC milliseconds. */
export type Channel = ChannelGeneral & {
  id: string
  /** Why the console itself switched it off. */
  disabledReason: string | null
  createdAt: number
  createdBy: string
  updatedAt: number
  /** When a test arrived of the channel as it is; null when the last one did not. */
  testedAt: number | null
  pending: number
  dead: number
  lastDelivery: { at: number; answer: string | null; tookMs: number | null } | null
  /** Of a delivery that is tried again or was given up. */
  lastError: string | null
} & ({ kind: 'webhook'; config: WebhookFacts } | { kind: 'email'; config: EmailFacts })

export interface AlertEntry {
  id: string
  findingId: string | null
  severity: Severity
  title: string
  body: string
  createdAt: number
  seenAt: number | null
  /** E-mail address of who put it away. */
  seenBy: string | null
}

export interface DeliveryEntry {
  id: string
  alert: { id: string; title: string; severity: Severity }
  channel: { id: string; name: string; kind: 'webhook' | 'email' }
  state: DeliveryState
  attempts: number
  /** When it is tried next, or was given up. */
  nextAt: number
  error: string | null
  answer: string | null
  tookMs: number | null
  createdAt: number
  deliveredAt: number | null
}

/** Where a page goes on: what its last row was. */
export interface Place {
  at: number
  id: string
}

export interface Unseen {
  count: number
  /** The newest of them. */
  latest: Pick<AlertEntry, 'id' | 'findingId' | 'severity' | 'title' | 'createdAt'>[]
}

/** What came of a message. */
export type Sent =
  | { ok: true; answer: string; tookMs: number }
  | {
      ok: false
      /** What happened, and what to do, in sentences. */
      error: string
      answer: string | null
      tookMs: number
      /** Milliseconds that the receiver asks to be left alone. */
      retryAfterMs?: number | undefined
      /** The receiver wants no more, ever (410). */
      gone?: boolean
      /** Nothing was sent: the receiver is left alone, or the console ends. */
      unsent?: boolean
    }

/** An alert as a message carries it. */
export type Carried = Pick<AlertEntry, 'id' | 'findingId' | 'severity' | 'title' | 'body' | 'createdAt'> & {
  key: string
}

export interface Message {
  /** The same at every try, so that a receiver can tell a repetition. */
  id: string
  /** What it is about; empty for a test. */
  alerts: Carried[]
  /** Beyond those in `alerts`. */
  more: number
}

/** Who acts, and the grant that the request brought. */
export interface Use {
  by: Caller
  grantId: string | null
}

export interface TestResult {
  ok: boolean
  answer: string | null
  error: string | null
  tookMs: number
}
