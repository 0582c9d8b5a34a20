import { eq } from 'drizzle-orm'
import type { AuditOutcome, Severity } from '@/db/tables'
import { locked, q, type Tx, unit, type Work } from '@/db/unit'
import { type AuditStatement, genesis, sealed, statement } from './chain'
import { readied } from './insert'
import { cutSecrets } from './redact'
import { severityOf } from './severity'

/** The subjects of the OWASP logging vocabulary. */
type Subject =
  | 'authn'
  | 'authz'
  | 'excess'
  | 'input'
  | 'malicious'
  | 'privilege'
  | 'sensitive'
  | 'sequence'
  | 'session'
  | 'sys'
  | 'upload'
  | 'user'

/** A name after the OWASP logging vocabulary: authn_login_success, user_created, sys_startup … */
export type AuditEventName = `${Subject}_${string}`

/** Who does something, and from where. Plain data, handed from the edge into units. */
export interface Caller {
  /** The user's id; null for the system and for anybody who is not signed in. */
  actorId: string | null
  /** The user's e-mail address, `system`, `command line` or `anonymous`. */
  actor: string
  sessionId: string | null
  address: string | null
  userAgent: string | null
  requestId: string | null
}

export interface AuditEvent extends Caller {
  /** UTC milliseconds. */
  time: number
  event: AuditEventName
  outcome: AuditOutcome
  /** What was acted on: a user's id, `session:…`, `run:…`. */
  target?: string | null
  reason?: string | null
  /** What the event and its outcome weigh (./severity), unless said here. */
  severity?: Severity
  /** The application that reports it; absent for the console itself. */
  source?: string | null
  /** State before and after. Fields that look like secrets are cut out. */
  before?: Record<string, unknown> | null
  after?: Record<string, unknown> | null
}

/** The caller of what the console does by itself. */
export const system: Caller = {
  actorId: null,
  actor: 'system',
  sessionId: null,
  address: null,
  userAgent: null,
  requestId: null,
}

/** Events that one batch holds at most: the chain's lock is held for as long as they are inserted. */
export const mostInBatch = 500

/**
 * Appends an event inside the unit whose change it tells of, so that both commit or neither does. Answers its
 * seq. Call it last: the head row that it locks is the one thing every writer waits for. The signing key comes
 * with the transaction (db/store.ts), so units stay plain functions of plain input, and a thread that runs them
 * by name needs the key once, when it opens its store.
 */
export function* appendAudit(tx: Tx, event: AuditEvent): Work<number> {
  const { last } = yield* appendAuditBatch(tx, [event])
  const { change } = tx
  // What a request asked for is done by the unit that says so in the log.
  if (change && event.outcome === 'success' && event.requestId === change.requestId) change.made = true
  return last
}

/**
 * Appends events one after the other, 1 to {@link mostInBatch}, and answers the first seq and the last. The head is
 * locked once, after all that can be done before, and the rows go in one statement.
 */
export function* appendAuditBatch(
  tx: Tx,
  events: readonly AuditEvent[],
): Work<{ first: number; last: number }> {
  const key = tx.auditKey
  if (!key) throw new Error('Audit events need a store that was opened with an audit key.')
  if (events.length === 0 || events.length > mostInBatch)
    throw new RangeError(`A batch holds 1 to ${mostInBatch} audit events, not ${events.length}.`)
  const rows = events.map((event) => stated(event, key.id))
  const statements = rows.map(statement)
  const insert = readied(tx, rows)

  const head = yield* lockHead(tx)
  const { epoch } = head
  let { seq, hash: previousHash } = head
  const links = rows.map(({ severity }, at) => {
    const place = { seq: ++seq, epoch, previousHash }
    const seal = sealed(place, severity, statements[at] as string, key.key)
    previousHash = seal.hash
    return { ...place, ...seal }
  })
  yield* insert(links)
  return { first: head.seq + 1, last: seq }
}

/** An event as its row says it: cleaned, bounded, without secrets. */
function stated(event: AuditEvent, keyId: string): AuditStatement {
  return {
    time: event.time,
    event: event.event,
    actorId: text(event.actorId),
    actor: text(event.actor) ?? 'anonymous',
    target: text(event.target),
    outcome: event.outcome,
    reason: text(event.reason),
    address: text(event.address),
    userAgent: text(event.userAgent),
    sessionId: text(event.sessionId),
    requestId: text(event.requestId),
    before: cutSecrets(event.before),
    after: cutSecrets(event.after),
    keyId,
    severity: event.severity ?? severityOf(event.event, event.outcome),
    source: text(event.source),
  }
}

/** Writes an event that belongs to no other change: a start, a refusal. */
export const recordAudit = unit('audit.record', (tx, event: AuditEvent) => appendAudit(tx, event))

function* lockHead(tx: Tx): Work<{ seq: number; epoch: number; hash: string }> {
  const { auditHead } = tx.tables
  const read = () => q(locked(tx.db.select().from(auditHead).where(eq(auditHead.id, 1))))
  const [head] = yield* read()
  if (head) return head
  yield* q(tx.db.insert(auditHead).values({ id: 1, epoch: 1, seq: 0, hash: genesis }).onConflictDoNothing())
  const [made] = yield* read()
  if (!made) throw new Error('The head of the audit log is missing.')
  return made
}

const longest = 512

/** Text as every database keeps it: bounded, on one line that reads the way it is written, no lone surrogates. */
function text(value: string | null | undefined): string | null {
  if (value == null) return null
  return value.slice(0, longest).replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, ' ')
}
