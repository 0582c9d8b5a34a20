import { availableParallelism } from 'node:os'
import type { Sample } from './events'
import { type HealthParts, judgeParts } from './health-parts'
import type { MetricName } from './metrics'
import type { CacheMode, CacheState } from './sources'

export type HealthState = 'ok' | 'warn' | 'bad'

export interface HealthComponent {
  id:
    | 'database'
    | 'servers'
    | 'clock'
    | 'cache'
    | 'process'
    | 'host'
    | 'disk'
    | 'security'
    | 'audit'
    | 'alerts'
    | 'outbound'
    | 'migration'
    | 'consoles'
    | 'backup'
  title: string
  state: HealthState
  /** What is so, in one sentence. */
  detail: string
  remedy?: string
  /** Page that shows more. */
  href: string
  /** Milliseconds of its last answer; absent where nothing is asked. */
  latency?: number
  /** Since when the state holds, as far as this process has seen it, UTC ms. */
  since?: number
}

export interface Health {
  state: HealthState
  at: number
  components: HealthComponent[]
}

export interface HealthInput {
  now: number
  database: {
    reachable: boolean
    place: string
    roundTrip: number | null
    dialect: string
    max: number | null
  }
  cache: {
    mode: CacheMode
    state: CacheState
    reason: string | null
    since: number
    place: string | null
  }
  /** What is wrong with the audit log, in one sentence; null when nothing is known to be. */
  auditTrouble: string | null
  /** The last backup of the store, and how old it may be at most; null where nobody is to be warned. */
  backup?: { lastAt: number | null; maxAgeMs: number | null }
  /** Public origin of the console. */
  url: string | undefined
  /** Open findings of high or critical severity, the latest first; none while nobody looks for threats. */
  findings?: readonly { summary: string }[]
  /** What further components tell; none while the store does not answer. */
  parts?: HealthParts
  /** The samples of the last seconds, oldest first. */
  recent: Sample[]
}

const SLOW_LOOP_SECONDS = 0.1
const SLOW_QUERY_SECONDS = 0.25

/** Judges every component from what was measured. Pure: the overview's sentence and readiness come from it. */
export function judge(input: HealthInput): Health {
  const components = [
    ...[database(input), cache(input), ofProcess(input), host(input), security(input)],
    ...(input.parts ? judgeParts(input.parts) : []),
    ...(input.backup ? [backup(input.now, input.backup)] : []),
  ]
  const worst = components.some(({ state }) => state === 'bad')
    ? 'bad'
    : components.some(({ state }) => state === 'warn')
      ? 'warn'
      : 'ok'
  return { state: worst, at: input.now, components }
}

type Judgement = Pick<HealthComponent, 'state' | 'detail' | 'remedy' | 'since'>

function database({
  database: { reachable, place, roundTrip, dialect, max },
  recent,
}: HealthInput): HealthComponent {
  const latency = roundTrip === null ? {} : { latency: roundTrip }
  const about = { id: 'database', title: 'Database', href: '/database', ...latency } as const
  const name = dialect === 'sqlite' ? 'SQLite' : 'PostgreSQL'
  const waiting = inEvery(recent, 'holdfast_database_pool_waiting_callers', (n) => n > 0)
  const slow = median(recent, 'holdfast_database_query_p99_seconds')
  const found: Judgement = !reachable
    ? {
        state: 'bad',
        detail: `${name} at ${place} does not answer.`,
        remedy: 'Check that the server runs. Holdfast reconnects by itself.',
      }
    : waiting
      ? {
          state: 'warn',
          detail: `All ${max} connections are in use and callers wait.`,
          remedy: 'Look for long transactions, or raise DB_POOL_MAX.',
        }
      : slow !== null && slow > SLOW_QUERY_SECONDS
        ? {
            state: 'warn',
            detail: `Statements are slow: 99 % end within ${Math.round(slow * 1000)} ms.`,
            remedy: 'Look at the Database page for what waits.',
          }
        : { state: 'ok', detail: `${name} answers within ${milliseconds(roundTrip)}.` }
  return { ...about, ...found }
}

function cache({ cache: { mode, state, reason, since, place } }: HealthInput): HealthComponent {
  const about = { id: 'cache', title: 'Cache', href: '/cache', since } as const
  if (mode === 'memory') return { ...about, state: 'ok', detail: 'In memory: no Redis is configured.' }
  if (state === 'redis') return { ...about, state: 'ok', detail: `Redis at ${place} answers.` }
  const away = state === 'degraded' ? 'is away in part, memory answers for that' : 'is away, memory answers'
  return {
    ...about,
    state: 'warn',
    detail: `Redis at ${place} ${away}. ${reason ?? ''}`.trim(),
    remedy: 'Check that Redis runs. Holdfast goes back to it by itself.',
  }
}

function ofProcess({ recent }: HealthInput): HealthComponent {
  const about = { id: 'process', title: 'Process', href: '/system' } as const
  const delay = median(recent, 'holdfast_event_loop_delay_p99_seconds')
  const { holdfast_process_heap_used_bytes: used, holdfast_process_heap_limit_bytes: limit } =
    recent.at(-1)?.values ?? {}
  if (used && limit && used > limit * 0.85) {
    return {
      ...about,
      state: 'bad',
      detail: `The heap is ${Math.round((used / limit) * 100)} % full.`,
      remedy: 'Raise --max-old-space-size, and report what the console was doing.',
    }
  }
  if (delay !== null && delay > SLOW_LOOP_SECONDS) {
    return {
      ...about,
      state: 'warn',
      detail: `The process answers late: ${Math.round(delay * 1000)} ms of event loop delay.`,
      remedy: 'See whether the machine is overloaded.',
    }
  }
  return {
    ...about,
    state: 'ok',
    detail: `Event loop delay is ${milliseconds(delay === null ? null : delay * 1000)}.`,
  }
}

function host({ recent }: HealthInput): HealthComponent {
  const about = { id: 'host', title: 'Host', href: '/system' } as const
  const { holdfast_host_memory_used_ratio: memory, holdfast_host_load1: load } = recent.at(-1)?.values ?? {}
  const cores = availableParallelism()
  if (memory && memory > 0.95) {
    return {
      ...about,
      state: 'warn',
      detail: `${Math.round(memory * 100)} % of the memory is in use.`,
      remedy: 'Give the machine more memory, or end what needs it.',
    }
  }
  if (load && load > cores * 3) {
    return {
      ...about,
      state: 'warn',
      detail: `The load is ${load.toFixed(1)} on ${cores} cores.`,
      remedy: 'See what else runs on this machine.',
    }
  }
  return { ...about, state: 'ok', detail: `${cores} cores with a load of ${(load ?? 0).toFixed(1)}.` }
}

function security({ url, auditTrouble, findings = [] }: HealthInput): HealthComponent {
  const about = { id: 'security', title: 'Security', href: '/security' } as const
  if (auditTrouble) {
    return {
      ...about,
      state: 'bad',
      detail: auditTrouble,
      remedy:
        'Was the store restored from a backup? Then declare it. Otherwise somebody has put the log back.',
    }
  }
  const [latest] = findings
  if (latest) {
    const words = latest.summary.replace(/\.$/, '')
    return {
      ...{ ...about, href: '/security/findings', state: 'warn' },
      detail:
        findings.length === 1
          ? `A grave finding is open: ${words}.`
          : `${findings.length} grave findings are open, the latest: ${words}.`,
      remedy: 'Look at the Findings page, and acknowledge what you see to.',
    }
  }
  if (url && isPlainAway(url)) {
    return {
      ...about,
      state: 'warn',
      detail: 'The console is reached over plain http: passwords can be read on the way.',
      remedy: 'Put a proxy with TLS in front and set HOLDFAST_URL to its https address.',
    }
  }
  return { ...about, state: 'ok', detail: 'Reached over https, or from this machine alone.' }
}

function backup(now: number, { lastAt, maxAgeMs }: NonNullable<HealthInput['backup']>): HealthComponent {
  const about = { id: 'backup', title: 'Backup', href: '/system' } as const
  const detail =
    lastAt === null ? 'No backup was made yet.' : `The last backup is ${ageInWords(now - lastAt)} old.`
  if (maxAgeMs !== null && (lastAt === null || now - lastAt > maxAgeMs)) {
    return {
      ...{ ...about, detail, state: 'warn' },
      remedy: `Run npm run backup -- create, and see why the timer did not: BACKUP_MAX_AGE is ${ageInWords(maxAgeMs)}.`,
    }
  }
  // Where nobody asked to be warned, the age is told and not judged.
  const remedy = maxAgeMs === null ? { remedy: 'Set BACKUP_MAX_AGE to be warned when backups stop.' } : {}
  return { ...about, state: 'ok', detail, ...remedy }
}

/** An age as a sentence says it: minutes, hours or days. */
export function ageInWords(ms: number): string {
  const minutes = Math.max(0, Math.round(ms / 60_000))
  if (minutes < 120) return `${minutes} ${minutes === 1 ? 'minute' : 'minutes'}`
  const hours = Math.round(minutes / 60)
  return hours < 72 ? `${hours} hours` : `${Math.round(hours / 24)} days`
}

/** Whether an address is reached over plain http from other machines, too. */
export function isPlainAway(url: string): boolean {
  const { protocol, hostname } = new URL(url)
  return protocol === 'http:' && !/^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)
}

function inEvery(samples: Sample[], name: MetricName, holds: (value: number) => boolean): boolean {
  return samples.length >= 3 && samples.slice(-3).every(({ values }) => holds(values[name] ?? 0))
}

function median(samples: Sample[], name: MetricName): number | null {
  const values = samples.map(({ values }) => values[name]).filter((value) => value !== null)
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? null
}

function milliseconds(value: number | null): string {
  if (value === null) return 'an unknown time'
  return value < 1 ? 'less than 1 ms' : `${Math.round(value)} ms`
}
