import { type AuditRow, canonical } from './chain'
import { hashOf, macOf } from './digests'

/** Whether a row is as the console wrote it: content, hash and HMAC fit one another, by a key that is known. */
export function isGenuine(row: AuditRow, macs: ReadonlyMap<string, Uint8Array>): boolean {
  const key = macs.get(row.keyId)
  if (!key || !isCovered(row)) return false
  const bytes = canonical(row)
  return hashOf(bytes) === row.hash && macOf(bytes, key) === row.mac
}

/** The first form knows no source: one that stands beside it was put there. */
export const isCovered = ({ severity, source }: AuditRow) => severity !== null || source === null
