import type { ThreatRow } from '../types'

/** Monday, 2026-01-05, 08:00 UTC. */
export const begin = Date.UTC(2026, 0, 5, 8)
export const second = 1_000
export const minute = 60_000
export const hour = 3_600_000
export const day = 86_400_000

/** Gives rows their seq: `log()` answers a maker of rows that counts up. */
export function log(first = 1) {
  let seq = first
  const row = (event: string, at: number, facts: Partial<ThreatRow> & { says?: object } = {}): ThreatRow => {
    const { says, ...given } = facts
    return {
      ...{ seq: seq++, time: begin + at, event, outcome: 'success', actor: 'system', actorId: null },
      ...{ target: null, reason: null, address: null, sessionId: null, before: null, severity: 'info' },
      ...{ source: null, after: says ? JSON.stringify(says) : null },
      ...given,
    }
  }
  return {
    row,
    /** A failed sign-in of a user that exists, by the name before the @. */
    fail: (user: string, at: number, address: string, reason = 'wrong password') =>
      row('authn_login_fail', at, {
        ...{ actor: `${user}@example.org`, target: reason === 'unknown user' ? null : `id-${user}` },
        ...{ address, reason, outcome: 'failure' },
      }),
    success: (user: string, at: number, address: string, says: object = { newDevice: false }) =>
      row('authn_login_success', at, {
        ...{ actor: `${user}@example.org`, actorId: `id-${user}`, target: `id-${user}` },
        ...{ address, sessionId: `session-of-${user}`, says },
      }),
    wrongCode: (user: string, at: number, address: string, reason = 'wrong code') =>
      row('authn_mfa_fail', at, {
        ...{ actor: `${user}@example.org`, target: `id-${user}`, address, reason, outcome: 'failure' },
      }),
  }
}

/** Rows in the order of their time, numbered anew. */
export const inOrderOfTime = (rows: Omit<ThreatRow, 'seq'>[], first = 1): ThreatRow[] =>
  [...rows].sort((a, b) => a.time - b.time).map((each, at) => ({ ...each, seq: first + at }))
