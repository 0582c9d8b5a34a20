import { createHash, createHmac } from 'node:crypto'

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
}

export type AuditContent = Omit<AuditRow, 'hash' | 'mac'>

/** The previous hash of the very first event. */
export const genesis = '0'.repeat(64)

const form = 'holdfast-audit-1'

/**
 * The bytes that are hashed: every field in a fixed order, each as `length:utf8` and null as `-`, so that no
 * two rows share a form however text is moved between fields.
 */
export function canonical(row: AuditContent): Buffer {
  const fields = [
    form,
    row.previousHash,
    String(row.epoch),
    String(row.seq),
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
  ]
  return Buffer.from(
    fields.map((field) => (field === null ? '-' : `${Buffer.byteLength(field)}:${field}`)).join(''),
  )
}

/** Chains a row by SHA-256 and signs it by HMAC-SHA-256, both in hex. */
export function chained(row: AuditContent, key: Uint8Array): AuditRow {
  const bytes = canonical(row)
  return {
    ...row,
    hash: createHash('sha256').update(bytes).digest('hex'),
    mac: createHmac('sha256', key).update(bytes).digest('hex'),
  }
}
