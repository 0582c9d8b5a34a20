import type { ThreatRow } from '../types'
import { day, hour, inOrderOfTime, log, minute, second } from './rows'

/** A generator with a seed (mulberry32, T. Ettinger): the same week each time. */
export function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/**
 * A week of 200 people: three offices behind one address each, some at home, mistyped and forgotten passwords,
 * locks, clocks that are off, new laptops, somebody back from parental leave, deploys at night, an admin at work, a
 * cache that was restarted.
 */
export function benignWeek(seed = 7): ThreatRow[] {
  const next = random(seed)
  const pick = (count: number) => Math.floor(next() * count)
  const chance = (share: number) => next() < share
  const { row, fail, success, wrongCode } = log()
  const rows: ThreatRow[] = []
  for (let user = 0; user < 200; user++) {
    const name = `user${user}`
    const office = `203.0.113.${10 + (user % 3)}`
    const home = `100.64.${user}.7`
    for (let number = 0; number < 7; number++) {
      if (number >= 5 && !chance(0.1)) continue
      // Most begin within one hour.
      let at = number * day + pick(60) * minute + pick(60) * second
      const address = chance(0.7) ? office : home
      const newDevice = chance(0.01)
      const slips = chance(0.1) ? 1 + pick(2) : chance(0.02) ? 3 + pick(4) : 0
      for (let slip = 0; slip < slips; slip++) {
        // The fifth brings a lock of a minute.
        at += slip === 4 ? 70 * second : (5 + pick(20)) * second
        rows.push(fail(name, at, address))
      }
      if (slips >= 5) rows.push(row('authn_login_lock', at, { target: `id-${name}`, outcome: 'denied' }))
      if (chance(0.02)) rows.push(fail(`${name}x`, at + second, address, 'unknown user'))
      if (chance(0.05)) {
        for (let code = 0; code <= pick(3); code++) {
          rows.push(
            wrongCode(
              name,
              at + code * 10 * second,
              address,
              chance(0.5) ? 'wrong code' : 'code of another time',
            ),
          )
        }
        at += minute
      }
      const lastSignInAt = log().row('', at - (user === 11 && number === 0 ? 120 : 1) * day).time
      rows.push(success(name, at + 30 * second, address, { newDevice, lastSignInAt }))
      if (chance(0.003)) rows.push(row('authn_backup_code_used', at, { target: `id-${name}`, address }))
      for (let renewal = 1; renewal < 8; renewal++) {
        rows.push(row('session_renewed', at + renewal * hour, { actor: `${name}@example.org`, address }))
      }
      // After lunch from the train: another address within minutes.
      if (chance(0.1)) rows.push(success(name, at + 4 * hour, home, { newDevice: false, lastSignInAt: at }))
    }
  }
  for (let number = 0; number < 7; number++) {
    const night = number * day + 18 * hour
    for (let job = 0; job < 40; job++) {
      rows.push(row('sys_job_done', night + job * minute, { actor: 'nightly', address: '10.1.2.3' }))
    }
    // A job whose password was changed tries again and again, slowly, until somebody sees to it.
    if (number === 2) {
      for (let retry = 0; retry < 6; retry++)
        rows.push(fail('nightly', night + retry * 15 * minute, '10.1.2.3'))
    }
    for (let expired = 0; expired < 20; expired++) {
      const reason = 'expired'
      rows.push(
        row('authn_token_invalid', night + expired * second, {
          address: '10.1.2.4',
          reason,
          outcome: 'failure',
        }),
      )
    }
    rows.push(
      row('privilege_permissions_changed', number * day + 3 * hour, {
        ...{ actor: 'user0@example.org', actorId: 'id-user0', target: `id-user${number + 1}` },
        ...{ before: '{"role":"viewer"}', says: { role: 'operator' } },
      }),
    )
  }
  rows.push(
    row('sys_cache_state_changed', 2 * day, { target: 'cache:redis-memory', reason: 'Redis is away.' }),
  )
  rows.push(row('sys_cache_state_changed', 2 * day + minute, { target: 'cache:memory-redis' }))
  return inOrderOfTime(rows)
}
