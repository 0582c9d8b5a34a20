import type { AuditEvent, AuditEventName } from '@/server/audit'
import { seeded } from '../seeded'

/** 90 days of a company's life as its audit log tells it: working hours, weekends, bursts of attacks, heavy tails. */
export const DAYS = 90
const DAY = 86_400_000
const USERS = 3_000
const AGENTS = 900
const NETWORKS = 4_000
const BURSTS = 120

/** What people and programs do: name, outcome, how often, and whose reason it gives. */
const KINDS: [AuditEventName, AuditEvent['outcome'], number, string | null][] = [
  ['authn_login_success', 'success', 210, null],
  ['authn_login_fail', 'failure', 60, 'wrong password'],
  ['authn_login_fail', 'denied', 12, 'unknown account'],
  ['authn_token_created', 'success', 9, null],
  ['session_created', 'success', 200, null],
  ['session_renewed', 'success', 260, null],
  ['session_expired', 'success', 90, 'idle for 7 days'],
  ['authn_mfa_success', 'success', 70, null],
  ['authn_mfa_fail', 'failure', 9, 'wrong code'],
  ['authn_step_up_success', 'success', 12, null],
  ['authn_password_change', 'success', 3, null],
  ['authz_fail', 'denied', 14, 'needs database:manage'],
  ['authz_admin', 'success', 8, 'opened the settings'],
  ['user_created', 'success', 2, null],
  ['user_updated', 'success', 5, 'changed the name'],
  ['privilege_permissions_changed', 'success', 1, 'role operator'],
  ['sensitive_read', 'success', 55, 'exported a report'],
  ['sys_cache_cleared', 'success', 2, 'namespace http'],
  ['sys_monitor_disabled', 'success', 0.2, 'maintenance window'],
  ['input_validation_fail', 'failure', 11, 'page: must be a number'],
  ['excess_rate_limit_exceeded', 'denied', 6, 'address'],
  ['malicious_direct_reference', 'denied', 0.6, 'asked for a foreign invoice'],
  ['upload_complete', 'success', 7, 'scan was clean'],
  ['sequence_fail', 'failure', 1.5, 'paid before the order'],
]
const SOURCES = ['webshop', 'mobile-api', 'hr-portal', 'data-warehouse']
const GIVEN = 'ana ben cleo dan eva finn greta hugo ines jan kira leo mia nils olga paul'.split(' ')
const FAMILY = 'adler brandt costa dietz engel fuchs graf haas jansen keller lorenz maier neumann otto'.split(
  ' ',
)
const SYSTEMS = [
  'Windows NT 10.0; Win64; x64',
  'Macintosh; Intel Mac OS X 10_15_7',
  'X11; Linux x86_64',
  'iPhone',
]
const MONTHS = 'January February March April May June July August'.split(' ')

export interface World {
  users: string[]
  agents: string[]
  addresses: string[]
  attackers: string[]
  sources: string[]
}

/** The first so many events of a log of ten million. */
export function sampleOf(count: number): AuditEvent[] {
  const sample: AuditEvent[] = []
  for (const event of eventsOf(Date.now(), 10_000_000)) {
    if (sample.push(event) === count) break
  }
  return sample
}

/** Calls back with every event in the order of time, ending about `until`. The same seed gives the same events. */
export function* eventsOf(until: number, events: number, seed = 7): Generator<AuditEvent> {
  const random = seeded(seed)
  const world = worldOf()
  const from = until - DAYS * DAY
  const bursts = Array.from({ length: BURSTS }, () => ({
    at: from + random() * DAYS * DAY,
    ms: 60_000 + random() * 1_800_000,
    attacker: pick(world.attackers, random),
    account: pick(world.users, random),
  })).sort((a, b) => a.at - b.at)
  const sessions = world.users.map(() => '')
  const uses = new Uint16Array(world.users.length)
  const kinds = cumulated(KINDS.map(([, , weight]) => weight))
  // Each event takes so much of the whole time as its hour is idle.
  const mean = (DAYS * DAY) / events
  let time = from
  let burst: (typeof bursts)[number] | undefined
  for (let number = 0; number < events; number++) {
    while (bursts[0] && bursts[0].at <= time) burst = bursts.shift()
    if (burst && (time < burst.at || burst.at + burst.ms <= time)) burst = undefined
    const hour = Math.floor(time / 3_600_000) % 24
    const weekend = (Math.floor(time / DAY + 4) % 7) % 6 === 0
    const busy = (hour > 6 && hour < 18 ? 1.7 : 0.5) * (weekend ? 0.55 : 1.18)
    time += -Math.log(1 - random() * 0.999) * (mean / busy) * (burst ? 0.12 : 1.15)
    const at = Math.floor(time)
    if (burst && random() < 0.85) {
      const sprayed = random() < 0.5
      yield {
        ...{ time: at, event: 'authn_login_fail', outcome: random() < 0.7 ? 'failure' : 'denied' },
        ...{
          actorId: null,
          actor: sprayed ? `user${Math.floor(random() * 90_000)}@example.org` : burst.account,
        },
        ...{ target: null, reason: sprayed ? 'unknown account' : 'wrong password', address: burst.attacker },
        ...{ userAgent: pick(world.agents, random), sessionId: null, requestId: uuid(random) },
        ...{ source: random() < 0.3 ? 'webshop' : null },
      }
      continue
    }
    const user = zipf(world.users.length, random)
    if ((uses[user] ?? 0) === 0 || random() < 0.05) sessions[user] = uuid(random)
    uses[user] = ((uses[user] ?? 0) + 1) % 400
    const session = sessions[user] ?? null
    const [event, outcome, , reason] = KINDS[chosen(kinds, random)] ?? (KINDS[0] as (typeof KINDS)[number])
    const agent = (user * 7 + (random() < 0.9 ? 0 : 1)) % world.agents.length
    const home = (user * 13 + (random() < 0.85 ? 0 : Math.floor(random() * 40))) % world.addresses.length
    yield {
      ...{ time: at, event, outcome, reason },
      ...{ actorId: idOf(user), actor: world.users[user] ?? 'system' },
      target: event.startsWith('session_') ? `session:${session}` : targetOf(event, user, random),
      address: world.addresses[home] ?? null,
      userAgent: world.agents[agent] ?? null,
      sessionId: session,
      requestId: uuid(random),
      source: random() < 0.62 ? null : pick(SOURCES, random),
      after: random() < 0.15 ? { device: uuid(random).slice(0, 8), newDevice: random() < 0.1 } : null,
    }
  }
}

export function worldOf(): World {
  const random = seeded(11)
  const users = Array.from({ length: USERS }, (_, at) => {
    const [given, family] = [GIVEN[at % GIVEN.length], FAMILY[Math.floor(at / GIVEN.length) % FAMILY.length]]
    return `${given}.${family}${Math.floor(at / (GIVEN.length * FAMILY.length)) || ''}@example.org`
  })
  const agents = Array.from({ length: AGENTS }, (_, at) => {
    const system = SYSTEMS[at % SYSTEMS.length]
    if (at % 9 === 8)
      return `holdfast-client/${1 + (at % 4)}.${at % 30} (${MONTHS[at % MONTHS.length]} build ${at})`
    if (at % 3 === 2)
      return `Mozilla/5.0 (${system}; rv:1${10 + (at % 30)}.0) Gecko/20100101 Firefox/1${10 + (at % 30)}.0`
    const version = `${100 + (at % 45)}.0.${4_000 + at}.${at % 200}`
    return `Mozilla/5.0 (${system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${version} Safari/537.36`
  })
  const byte = () => Math.floor(random() * 256)
  const addresses = Array.from({ length: NETWORKS }, (_, at) => {
    if (at % 6 === 5)
      return `2001:db8:${byte().toString(16)}:${byte().toString(16)}::${(1 + byte()).toString(16)}`
    return at % 3 === 0 ? `10.${at % 32}.${byte()}.${byte()}` : `198.${18 + (at % 2)}.${byte()}.${byte()}`
  })
  const attackers = Array.from({ length: 500 }, () => `203.0.${byte()}.${byte()}`)
  return { users, agents, addresses, attackers, sources: SOURCES }
}

function targetOf(event: string, user: number, random: () => number): string | null {
  if (event.startsWith('user_') || event.startsWith('privilege_')) return `user:${idOf(zipf(USERS, random))}`
  if (event.startsWith('sensitive_')) return `report:${Math.floor(random() * 4_000)}`
  if (event.startsWith('authn_')) return `user:${idOf(user)}`
  return null
}

const idOf = (user: number) => `00000000-0000-4000-8000-${user.toString(16).padStart(12, '0')}`

/** A number below `most`, of which the low ones come far more often. */
const zipf = (most: number, random: () => number) => Math.floor(most ** random()) - 1

const pick = <T>(values: readonly T[], random: () => number) => values[zipf(values.length, random)] as T

function uuid(random: () => number): string {
  const hex = () =>
    Math.floor(random() * 0x100000000)
      .toString(16)
      .padStart(8, '0')
  const [a, b, c, d] = [hex(), hex(), hex(), hex()]
  return `${a}-${b.slice(0, 4)}-4${b.slice(5)}-8${c.slice(1, 4)}-${c.slice(4)}${d}`
}

function cumulated(weights: number[]): number[] {
  let sum = 0
  return weights.map((weight) => (sum += weight))
}

function chosen(sums: number[], random: () => number): number {
  const drawn = random() * (sums.at(-1) ?? 0)
  return sums.findIndex((sum) => drawn < sum)
}
