import { type AuditContent, type AuditRow, chained, genesis } from '../chain'

/** Signs the rows that tests make. */
export const rowKey = new Uint8Array(32).fill(7)

/** What a row says that the console might have written at this place. */
export function content(seq: number, previousHash: string, more: Partial<AuditContent> = {}): AuditContent {
  return {
    ...{ seq, epoch: 1, time: 1_700_000_000_000 + seq, event: 'authn_login_success', actorId: null },
    ...{ actor: `ana${seq}`, target: null, outcome: 'success', reason: null, address: '192.0.2.1' },
    ...{ userAgent: null, sessionId: null, requestId: null, before: null, after: '{}', previousHash },
    ...{ keyId: 'test', severity: 'info', source: null, ...more },
  }
}

/** Rows as the console writes them, after those of `before`. */
export function append(
  before: readonly AuditRow[],
  count: number,
  more: Partial<AuditContent> = {},
): AuditRow[] {
  const rows = [...before]
  for (let left = count; left > 0; left--) {
    const last = rows.at(-1)
    rows.push(chained(content((last?.seq ?? 0) + 1, last?.hash ?? genesis, more), rowKey))
  }
  return rows
}
