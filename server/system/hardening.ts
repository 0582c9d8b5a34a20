import { ageInWords, isPlainAway } from './health'
import type { CacheMode, CacheState } from './sources'

/** What is known of this console, as far as it can be hardened. Plain data: the judgement is made here. */
export interface HardeningFacts {
  now: number
  /** The caller's own second factors. */
  factors: { app: boolean; passkeys: number }
  store: { dialect: 'sqlite' | 'postgresql'; place: string }
  /** Servers that follow the primary, and why one takes no reads; none on SQLite. */
  replicas: { place: string; because: string | null }[]
  cache: { mode: CacheMode; state: CacheState; place: string | null }
  /** Public origin of the console: browsers keep its sessions for that address alone. */
  url: string
  /** The last backup of the store, and how old it may be at most; null where nobody is to be warned. */
  backup: { lastAt: number | null; maxAgeMs: number | null }
  channels: {
    name: string
    enabled: boolean
    updatedAt: number
    /** When a test arrived. */
    testedAt: number | null
    lastDelivery: { at: number } | null
    /** Of what is tried again or was given up. */
    lastError: string | null
  }[]
}

/** Where a line is done: on a page, or by lines for the environment or a shell. */
export type HardeningStep =
  | { kind: 'page'; label: string; href: string }
  | { kind: 'text'; label: string; text: string; note: string }

export interface HardeningLine {
  id: 'factor' | 'postgresql' | 'replica' | 'redis' | 'tls' | 'backups' | 'alerts'
  title: string
  done: boolean
  /** What is so, in one sentence. */
  detail: string
  /** What it protects from, in one sentence. */
  protects: string
  /** Page where it is seen. */
  href: string
  /** What is to be done; null where nothing is. */
  step: HardeningStep | null
}

export interface Hardening {
  done: number
  lines: HardeningLine[]
}

type Judgement = Pick<HardeningLine, 'done' | 'detail' | 'step'>
type Line = Omit<HardeningLine, keyof Judgement> & { judge: (facts: HardeningFacts) => Judgement }

const LINES: readonly Line[] = [
  {
    ...{ id: 'factor', title: 'Second factor', href: '/account#factors', judge: factor },
    protects: 'A stolen or guessed password alone opens nothing.',
  },
  {
    ...{ id: 'postgresql', title: 'PostgreSQL', href: '/database', judge: postgresql },
    protects: 'Several consoles can serve one store: the end of one process stops nobody.',
  },
  {
    ...{ id: 'replica', title: 'Replica', href: '/database/replicas', judge: replica },
    protects: 'When the primary is lost, its data stands elsewhere and reads go on.',
  },
  {
    ...{ id: 'redis', title: 'Redis', href: '/cache', judge: redis },
    protects: 'Limits hold over all consoles, and a restart forgets none of them.',
  },
  {
    ...{ id: 'tls', title: 'TLS', href: '/system/configuration', judge: tls },
    protects: 'Nobody on the way reads passwords and sessions.',
  },
  {
    ...{ id: 'backups', title: 'Backups', href: '/system', judge: backups },
    protects: 'A lost disk or a wrong delete costs hours of data, and not all of it.',
  },
  {
    ...{ id: 'alerts', title: 'Alerts', href: '/security/alerts', judge: alerts },
    protects: 'Somebody hears of an attack while nobody looks here.',
  },
]

/** Judges what of this console is hardened, and says how to go on with the rest. Pure. */
export function judgeHardening(facts: HardeningFacts): Hardening {
  const lines = LINES.map(({ judge, ...line }) => ({ ...line, ...judge(facts) }))
  return { done: lines.filter(({ done }) => done).length, lines }
}

const done = (detail: string): Judgement => ({ done: true, detail, step: null })
const open = (detail: string, step: HardeningStep): Judgement => ({ done: false, detail, step })
const page = (label: string, href: string): HardeningStep => ({ kind: 'page', label, href })
const set = (lines: string[], first = ''): HardeningStep => ({
  ...{ kind: 'text', label: 'What to set', text: lines.join('\n') },
  note: `${first}In the environment or in .env; it takes effect at the next start.`,
})

const MOVE = page('Move to PostgreSQL', '/migration/new')

function factor({ factors: { app, passkeys } }: HardeningFacts): Judgement {
  const own = [
    ...(app ? ['an authenticator app'] : []),
    ...(passkeys > 0 ? [passkeys === 1 ? 'a passkey' : `${passkeys} passkeys`] : []),
  ]
  if (own.length > 0) return done(`You prove yourself by ${own.join(' and ')}.`)
  return open('You sign in by a password alone.', page('Add a factor', '/account#factors'))
}

function postgresql({ store: { dialect, place } }: HardeningFacts): Judgement {
  if (dialect === 'postgresql') return done(`The store is on PostgreSQL at ${place}.`)
  return open('The store is a SQLite file, which one process serves.', MOVE)
}

function replica({ store: { dialect }, replicas }: HardeningFacts): Judgement {
  if (dialect === 'sqlite') return open('SQLite has no replicas.', MOVE)
  if (replicas.length === 0)
    return open('No replica follows the primary.', set(['DB_READ_HOST=replica.example.org']))
  const away = replicas.filter(({ because }) => because !== null)
  const [first] = away
  if (first && away.length === replicas.length)
    return open(
      `No replica takes reads. ${first.place}: ${first.because}`,
      page('See why', '/database/replicas'),
    )
  return done(`Replicas that take reads: ${replicas.length - away.length} of ${replicas.length}.`)
}

function redis({ cache: { mode, state, place } }: HardeningFacts): Judgement {
  if (mode === 'memory') {
    const lines = ['REDIS_HOST=redis.example.org', 'REDIS_PASSWORD=', 'REDIS_TLS=true']
    return open('No Redis is configured: cache and limits live in this process.', set(lines))
  }
  if (state === 'redis') return done(`Redis at ${place} answers.`)
  return open(`Redis at ${place} is away, at least in part.`, page('See why', '/cache'))
}

function tls({ url }: HardeningFacts): Judgement {
  if (url.startsWith('https:')) return done(`You reach it at ${url}.`)
  const here = isPlainAway(url) ? '' : ', from its own machine alone'
  const lines = ['HOLDFAST_URL=https://holdfast.example.org', 'TRUSTED_PROXIES=127.0.0.1']
  const first = 'Put a proxy with TLS in front: ops/ has files for nginx, Caddy and HAProxy. '
  return open(`You reach it over plain http at ${url}${here}.`, set(lines, first))
}

function backups({ now, backup: { lastAt, maxAgeMs } }: HardeningFacts): Judgement {
  const make: HardeningStep = {
    ...{ kind: 'text', label: 'What to run', text: 'npm run backup -- create' },
    note: 'In the folder of the console, every day: ops/ has a timer for systemd.',
  }
  if (lastAt === null) return open('No backup was made yet.', make)
  const detail = `The last backup is ${ageInWords(now - lastAt)} old`
  if (maxAgeMs === null)
    return open(`${detail}, and nobody is warned when they stop.`, set(['BACKUP_MAX_AGE=26h']))
  if (now - lastAt > maxAgeMs) return open(`${detail}: more than BACKUP_MAX_AGE allows.`, make)
  return done(`${detail}.`)
}

function alerts({ channels }: HardeningFacts): Judgement {
  const to = (label: string) => page(label, '/security/alerts')
  if (channels.length === 0)
    return open('Alerts stand in the console alone.', page('Add a channel', '/security/alerts?do=add'))
  const on = channels.filter(({ enabled }) => enabled)
  if (on.length === 0) return open('Every channel is switched off.', to('Switch one on'))
  const [good, more] = on.filter(delivers)
  if (good) return done(more ? 'Several channels deliver.' : `${good.name} delivers.`)
  const failing = on.find(({ lastError }) => lastError !== null)
  if (failing) return open(`${failing.name} does not deliver. ${failing.lastError}`, to('See why'))
  return open('Nothing has arrived by any channel yet.', to('Send a test'))
}

/** Whether something has arrived since the channel is as it is, and nothing waits for another try. */
function delivers({ updatedAt, testedAt, lastDelivery, lastError }: HardeningFacts['channels'][number]) {
  return lastError === null && Math.max(testedAt ?? 0, lastDelivery?.at ?? 0) >= updatedAt
}
