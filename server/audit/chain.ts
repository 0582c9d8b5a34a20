import { createHmac, hash } from 'node:crypto'
import type { Severity } from '@/db/tables'

/** One row of the audit log, as stored. `before` and `after` are JSON text exactly as hashed. */
export interface AuditRow {
  seq: number
  epoch: number
  time: number
  event: string
  actorId: string | null
  actor: string
  target: string | null
  outcome: string
  reason: string | null
  address: string | null
  userAgent: string | null
  sessionId: string | null
  requestId: string | null
  before: string | null
  after: string | null
  previousHash: string
  hash: string
  mac: string
  keyId: string
  /** Null in rows of before release 0.6.0. */
  severity: Severity | null
  /** The application that reported the event; null for the console's own. */
  source: string | null
}

export type AuditContent = Omit<AuditRow, 'hash' | 'mac'>

/** The previous hash of the very first event. */
export const genesis = '0'.repeat(64)

const firstForm = 'holdfast-audit-1'
const form = 'holdfast-audit-2'

/** What a row says, apart from its place in the chain. */
export type AuditStatement = Omit<AuditContent, 'seq' | 'epoch' | 'previousHash'>

/** A row's place in the chain. */
export type AuditPlace = Pick<AuditContent, 'seq' | 'epoch' | 'previousHash'>

const field = (value: string | null) => (value === null ? '-' : `${Buffer.byteLength(value)}:${value}`)

const placed = ({ previousHash, epoch, seq }: AuditPlace, severity: Severity | null) =>
  [severity === null ? firstForm : form, previousHash, String(epoch), String(seq)].map(field).join('')

/** The part of the canonical form that no other row has a say in: it can be made before the chain is locked. */
export function statement(row: AuditStatement): string {
  const fields = [
    String(row.time),
    row.event,
    row.actorId,
    row.actor,
    row.target,
    row.outcome,
    row.reason,
    row.address,
    row.userAgent,
    row.sessionId,
    row.requestId,
    row.before,
    row.after,
    row.keyId,
    ...(row.severity === null ? [] : [row.severity, row.source]),
  ]
  return fields.map(field).join('')
}

/**
 * The bytes that are hashed: every field in a fixed order, each as `length:utf8` and null as `-`, so that no
 * two rows share a form however text is moved between fields. Rows without a severity have the form of the first
 * releases.
 */
export function canonical(row: AuditContent): Buffer {
  return Buffer.from(placed(row, row.severity) + statement(row))
}

/** Chains a row by SHA-256 and signs it by HMAC-SHA-256, both in hex. */
export function chained(row: AuditContent, key: Uint8Array): AuditRow {
  return { ...row, ...seal(canonical(row), key) }
}

/** The hash and the HMAC of a row whose statement stands already. */
export function sealed(
  place: AuditPlace,
  severity: Severity | null,
  stated: string,
  key: Uint8Array,
): Pick<AuditRow, 'hash' | 'mac'> {
  return seal(Buffer.from(placed(place, severity) + stated), key)
}

function seal(bytes: Buffer, key: Uint8Array) {
  return {
    hash: hash('sha256', bytes, 'hex'),
    mac: createHmac('sha256', key).update(bytes).digest('hex'),
  }
}
