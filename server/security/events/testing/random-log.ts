import { asc } from 'drizzle-orm'
import ipaddr from 'ipaddr.js'
import type { Store } from '@/db/store'
import type { AuditOutcome, Severity } from '@/db/tables'
import { q, unit } from '@/db/unit'
import { type AuditEvent, type AuditRow, appendAuditBatch, chained } from '@/server/audit'
import type { EventFilter } from '../filter'

/** Numbers from 0 to 1 that a seed gives again (mulberry32, Tommy Ettinger, public domain). */
export type Draw = () => number

export function seededDraw(seed: number): Draw {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const pick = <T>(draw: Draw, values: readonly T[]): T => values[Math.floor(draw() * values.length)] as T

const DAYS = 40
const outcomes: AuditOutcome[] = ['success', 'failure', 'denied']
const severities: Severity[] = ['info', 'low', 'medium', 'high', 'critical']
const events = [
  ...([
    'authn_login_success',
    'authn_login_fail',
    'authn_token_reuse',
    'authz_fail',
    'user_created',
  ] as const),
  ...([
    'malicious_direct_reference',
    'excess_rate_limit_exceeded',
    'sys_startup',
    'session_created',
  ] as const),
]
const actors = [
  'ana@example.org',
  'ANA@example.org',
  'ben@example.org',
  'Müller',
  'system',
  'hans 100%',
  'jan_',
]
const targets = [null, 'user:1', 'user:2', "o'hara", 'User:1']
const reasons = [null, 'wrong password', 'Wrong code', '50% off_', 'Straße nach Zürich', 'back\\slash']
const agents = [null, 'Mozilla/5.0 (X11) Firefox/127.0', 'Mozilla/5.0 Chrome/126.0', 'curl/8.5', '🙂 bot']
const addresses = [
  null,
  '10.1.2.3',
  '10.1.2.200',
  '10.9.0.1',
  '192.0.2.7',
  '2001:db8::1',
  '2001:db8:0:1::9',
  'unix',
  '::ffff:10.1.2.3',
]
const sources = [null, null, 'webshop', 'hr-portal']
const sessions = [null, 'a1', 'b2', 'c3', 'd4']

/** Appends events of the last weeks, nearly in the order of time, some of them as the first releases wrote them. */
export async function fill(
  store: Store,
  draw: Draw,
  { events: count, now }: { events: number; now: number },
) {
  const start = now - DAYS * 86_400_000
  let time = start + draw() * 1_000
  for (let left = count; left > 0; ) {
    const batch = Array.from({ length: Math.min(500, left) }, () => {
      time += (draw() * 2 * DAYS * 86_400_000) / (count + 1)
      // Clocks differ.
      return drawEvent(draw, Math.floor(time - draw() * 90_000))
    })
    left -= batch.length
    await store.run(append, batch)
    if (draw() < 0.5 && left > 0) {
      await store.run(appendOld, drawEvent(draw, Math.floor(time)))
      left--
    }
  }
}

const append = unit('test.append', (tx, batch: AuditEvent[]) => appendAuditBatch(tx, batch))

/** A row without severity and source, as releases before 0.6.0 wrote them. */
const appendOld = unit('test.append-old', function* (tx, event: AuditEvent) {
  const { auditEvents, auditHead } = tx.tables
  const [head] = yield* q(tx.db.select().from(auditHead))
  if (!head) throw new Error('The log has no head.')
  const { severity: _, source: __, target = null, reason = null, ...rest } = event
  const place = { seq: head.seq + 1, epoch: head.epoch, previousHash: head.hash }
  const content = {
    ...rest,
    ...place,
    target,
    reason,
    before: null,
    after: null,
    severity: null,
    source: null,
  }
  const row = chained({ ...content, keyId: 'test' }, new Uint8Array(32).fill(7))
  yield* q(tx.db.insert(auditEvents).values({ ...row, outcome: event.outcome }))
  yield* q(tx.db.update(auditHead).set({ seq: row.seq, hash: row.hash }))
})

function drawEvent(draw: Draw, time: number): AuditEvent {
  return {
    time,
    event: pick(draw, events),
    outcome: pick(draw, outcomes),
    actorId: null,
    actor: draw() < 0.1 ? `visitor-${Math.floor(draw() * 400)}` : pick(draw, actors),
    target: pick(draw, targets),
    reason: pick(draw, reasons),
    address: pick(draw, addresses),
    userAgent: pick(draw, agents),
    sessionId: pick(draw, sessions),
    requestId: null,
    source: pick(draw, sources),
    ...(draw() < 0.3 ? { severity: pick(draw, severities) } : {}),
    after: draw() < 0.1 ? { device: 'x' } : null,
  }
}

/** A filter of one to four parts that often means something. */
export function drawFilter(draw: Draw, rows: Row[], now: number): EventFilter {
  const seen = pick(draw, rows)
  const names = [
    [seen.event],
    ['authn_*'],
    ['sys_*', 'authz_fail'],
    ['no_such_event'],
    [seen.event, 'user_created'],
  ]
  const networks = [
    '10.0.0.0/8',
    '10.1.2.3',
    '10.1.2.0/25',
    '2001:db8::/48',
    '2001:db8::1',
    '::/0',
    '0.0.0.0/0',
    '192.0.2.0/24',
    '::ffff:10.1.2.3',
  ]
  const words = [
    'firefox',
    'MOZILLA 127',
    'zürich',
    '50%',
    'wrong',
    'pass wo',
    'an',
    'straße',
    '🙂',
    'back\\',
    'visitor-3',
    'web',
    '10.1',
    'absent',
  ]
  const parts: (() => EventFilter)[] = [
    () => ({ from: now - Math.floor(draw() * DAYS) * 86_400_000 }),
    () => ({ from: seen.time - Math.floor(draw() * 9e8), to: seen.time + 1 + Math.floor(draw() * 9e8) }),
    () => ({ to: Math.ceil(seen.time / 3_600_000) * 3_600_000 }),
    () => ({ events: pick(draw, names) }),
    () => ({ actor: pick(draw, [seen.actor, seen.actor.toUpperCase(), 'nobody']) }),
    () => ({ address: pick(draw, networks) }),
    () => ({ outcomes: pick(draw, [['failure'], ['denied', 'failure'], []]) as AuditOutcome[] }),
    () => ({ severities: pick(draw, [['info'], ['high', 'critical'], ['low', 'medium']]) as Severity[] }),
    () => ({ target: pick(draw, ['user:1', "o'hara", 'none']) }),
    () => ({ source: pick(draw, ['console', 'webshop', 'absent']) }),
    () => ({ session: pick(draw, ['a1', 'zz']) }),
    () => ({ text: pick(draw, words) }),
  ]
  const chosen = Array.from({ length: 1 + Math.floor(draw() * 4) }, () => pick(draw, parts)())
  const filter: EventFilter = Object.assign({}, ...chosen)
  // No request has an end before its begin.
  if ((filter.from ?? 0) >= (filter.to ?? Infinity)) delete filter.to
  return filter
}

/** A row with the weight that it has or would have, and as it is stored. */
export interface Row extends Omit<AuditRow, 'severity'> {
  severity: Severity
  stored: AuditRow
}

export async function rowsOf({ db, tables: { auditEvents: at } }: Store): Promise<Row[]> {
  const rows: AuditRow[] = await db.select().from(at).orderBy(asc(at.seq))
  return rows.map((row) => ({ ...row, severity: row.severity ?? weightOf(row), stored: row }))
}

/** As server/audit/severity.ts says for the events that are drawn here. */
function weightOf({ event, outcome }: AuditRow): Severity {
  if (event === 'authn_token_reuse' || event.startsWith('malicious_')) return 'high'
  if (event.startsWith('excess_')) return 'medium'
  return outcome === 'success' ? 'info' : 'low'
}

/** The rows that a filter means, by a plain reading of what its fields say. */
export function naive(rows: Row[], filter: EventFilter): Row[] {
  const { from = 0, to = Infinity, events, actor, address, outcomes, severities } = filter
  const { target, source, session, text } = filter
  const names = events?.map((name) => new RegExp(`^${name.replace('*', '.*')}$`)) ?? []
  const words = (text ?? '').toLowerCase().match(/[^\s\p{Cc}]+/gu) ?? []
  const inside = new Map(addresses.map((one) => [one, !address || inNetwork(one, address)]))
  return rows.filter((row) => {
    if (row.time < from || row.time >= to) return false
    if (outcomes?.length && !outcomes.includes(row.outcome as AuditOutcome)) return false
    if (severities?.length && !severities.includes(row.severity)) return false
    if (names.length > 0 && !names.some((name) => name.test(row.event))) return false
    if (actor && row.actor.localeCompare(actor, 'en', { sensitivity: 'accent' }) !== 0) return false
    if (target && row.target !== target) return false
    if (source && (source === 'console' ? row.source !== null : row.source !== source)) return false
    if (session && row.sessionId !== session) return false
    if (!inside.get(row.address)) return false
    if (words.length === 0) return true
    const whole = [row.event, row.actor, row.target, row.reason, row.address, row.userAgent, row.source]
    const texts = whole.map((part) => (part ?? '').toLowerCase())
    return words.every((word) => texts.some((part) => part.indexOf(word) >= 0))
  })
}

function inNetwork(address: string | null, network: string): boolean {
  if (!address || !ipaddr.isValid(address)) return false
  const own = ipaddr.process(address)
  const [base = '', bits] = network.split('/')
  const around = ipaddr.process(base)
  if (own.kind() !== around.kind()) return false
  const most = own.kind() === 'ipv4' ? 32 : 128
  return own.match([around, bits === undefined ? most : Number(bits)] as never)
}
