import { unit } from '@/db/unit'
import { type AuditEventName, appendAudit, system } from '@/server/audit'
import type { ThreatRow } from '../types'

/** Writes rows into the audit log; it numbers them itself. */
export const write = unit('test.write', function* (tx, rows: ThreatRow[]) {
  for (const { seq: _seq, event, outcome, before, after, severity, ...row } of rows) {
    yield* appendAudit(tx, {
      ...{ ...system, ...row },
      event: event as AuditEventName,
      outcome: outcome as 'success',
      severity: severity ?? 'info',
      before: before === null ? null : JSON.parse(before),
      after: after === null ? null : JSON.parse(after),
    })
  }
})
