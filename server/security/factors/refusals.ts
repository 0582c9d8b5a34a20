import { unit } from '@/db/unit'
import { type AuditEventName, appendAudit, type Caller } from '@/server/audit'
import { HoldfastError } from '@/server/errors'
import { firstUse } from './challenges'

/** Why a proof of a factor was refused, in words for the audit log. */
export interface Refusal {
  reason: string
  /** Seconds by which the device's clock is off. */
  drift?: number
  /** A code of a step that is still to come: telling so must not make it worth waiting for. */
  early?: { id: string; drift: number }
}

interface RefusalRecord {
  refusal: Refusal
  event: AuditEventName
  userId: string
  /** What the proof was for, where it is not the user: `session:…`. */
  target: string
  action?: string
  /** Until when the proof is locked now, if this attempt was the last one. */
  lockedUntil?: number | null
  by: Caller
  now: number
}

/** Writes down a refused proof, and the lock that follows from it. */
export const recordRefusal = unit('factor.refuse', function* (tx, record: RefusalRecord) {
  const { refusal, userId, by, now, lockedUntil } = record
  if (refusal.early) {
    const { id, drift } = refusal.early
    // The step stays within the window for some minutes after its time: twice the drift is longer than both.
    const expiresAt = now + Math.max(2 * drift * 1000, 3_600_000)
    yield* firstUse(tx, { id, kind: 'early-code', userId, now, expiresAt })
  }
  yield* appendAudit(tx, {
    ...by,
    time: now,
    event: record.event,
    outcome: 'failure',
    reason: refusal.reason,
    target: record.target,
    after: {
      ...(record.action ? { action: record.action } : {}),
      ...(refusal.drift === undefined ? {} : { driftSeconds: refusal.drift }),
    },
  })
  if (lockedUntil) {
    yield* appendAudit(tx, {
      ...by,
      time: now,
      event: 'authn_login_lock',
      outcome: 'denied',
      reason: `too many proofs refused, the last: ${refusal.reason}`,
      target: userId,
      after: { until: lockedUntil },
    })
  }
})

/** What a user is told of a refused proof. */
export function refused({ reason, drift }: Refusal): HoldfastError {
  if (drift !== undefined) {
    const way = drift < 0 ? 'behind' : 'ahead'
    return new HoldfastError('WRONG_CODE', {
      message: `This code is right for another time: your device’s clock is about ${Math.abs(drift)} s ${way}.`,
      remedy: 'Set the date and time of the device to automatic, then enter the code that it shows.',
      details: { drift },
    })
  }
  const [message, remedy] = words[reason] ?? [
    'The passkey was not accepted.',
    'Try again, or use another factor.',
  ]
  return new HoldfastError('WRONG_CODE', { message, remedy })
}

const words: Record<string, [message: string, remedy: string]> = {
  'wrong code': ['The code is wrong.', 'Enter the code that your authenticator app shows now.'],
  'code used before': ['This code was used already.', 'Wait until your app shows the next one.'],
  'wrong backup code': [
    'This backup code is wrong, or it was used already.',
    'Check it, or take another one.',
  ],
  'backup code': [
    'A backup code is good for signing in only.',
    'Enter the code that your authenticator app shows, or use a passkey.',
  ],
}
