import { LITTLE_ROOM, MOST_DRIFT_MS, NEXT_TO_NO_ROOM, roomInWords } from './bounds'
import type { HealthComponent, HealthState } from './health'

/** What components beside the store and the cache tell of themselves. Plain data: the judgement is made here. */
export interface HealthParts {
  /** Servers of the database, the primary among them; empty on SQLite. */
  servers: { place: string; role: string; because: string | null; roundTrip: number | null }[]
  /** Milliseconds by which the database's clock is ahead; null where it is this machine's. */
  clockAhead: number | null
  /** The file system of the data folder. */
  disk: { folder: string; free: number; total: number }
  audit: {
    /** Why no checkpoint can be written. */
    problem: string | null
    /** Whether the last verification found nothing; null before the first. */
    sound: boolean | null
  }
  channels: { name: string; dead: number }[]
  /** Servers that are not called at present, since calls to them failed. */
  unreachable: string[]
  /** The run that was touched last. */
  run: { id: string; name: string; state: string; error: string | null } | null
  /** Versions of the consoles that serve this store. */
  consoles: string[]
}

type Judgement = { state: HealthState; detail: string; remedy?: string; href?: string; latency?: number }

/** Judges what further components tell. Pure. */
export function judgeParts(parts: HealthParts): HealthComponent[] {
  return [
    ...(parts.servers.length > 1
      ? [{ id: 'servers', title: 'Replicas', href: '/database/replicas', ...servers(parts) } as const]
      : []),
    ...(parts.clockAhead === null
      ? []
      : [{ id: 'clock', title: 'Clock', href: '/system', ...clock(parts.clockAhead) } as const]),
    { id: 'disk', title: 'Disk', href: '/system', ...disk(parts) },
    { id: 'audit', title: 'Audit log', href: '/security', ...audit(parts) },
    { id: 'alerts', title: 'Alerts', href: '/security/alerts', ...alerts(parts) },
    { id: 'outbound', title: 'Outbound HTTP', href: '/cache/outbound', ...outbound(parts) },
    { id: 'migration', title: 'Migration', href: '/migration', ...migration(parts) },
    { id: 'consoles', title: 'Consoles', href: '/system', ...consoles(parts) },
  ]
}

function servers({ servers }: HealthParts): Judgement {
  const replicas = servers.filter(({ role }) => role !== 'primary')
  const away = replicas.filter(({ because, role }) => because !== null || role !== 'replica')
  const latency = Math.max(...servers.map(({ roundTrip }) => roundTrip ?? 0))
  const [first] = away
  if (!first)
    return {
      state: 'ok',
      latency,
      detail: `${count(replicas.length, 'replica')} ${does(replicas.length, 'take')} reads.`,
    }
  const why = first.because ?? `it is ${first.role}`
  return {
    ...{ state: 'warn', latency },
    detail: `${away.length} of ${count(replicas.length, 'replica')} ${does(away.length, 'take')} no reads. ${first.place}: ${why}`,
    remedy: 'Look at the Replicas page. Reads go to the others meanwhile.',
  }
}

function clock(ahead: number): Judgement {
  const apart = Math.abs(ahead)
  const side = ahead < 0 ? 'behind' : 'ahead of'
  if (apart < MOST_DRIFT_MS)
    return { state: 'ok', detail: `The database's clock is within ${apart} ms of this one.` }
  return {
    state: 'warn',
    detail: `The database's clock is ${Math.round(apart / 1000)} s ${side} this one.`,
    remedy: 'Let NTP set both: limits, sessions and codes go by the time.',
  }
}

function disk({ disk: { folder, free, total } }: HealthParts): Judgement {
  const detail = `${roomInWords(free)} of ${roomInWords(total)} are free at ${folder}.`
  if (free >= LITTLE_ROOM) return { state: 'ok', detail }
  return {
    ...{ state: free < NEXT_TO_NO_ROOM ? 'bad' : 'warn', detail },
    remedy: 'Make room: a full disk stops every write.',
  }
}

function audit({ audit: { problem, sound } }: HealthParts): Judgement {
  if (sound === false) {
    return {
      state: 'bad',
      detail: 'The last verification found that the log was changed.',
      remedy: 'Look at what it names, on the Events page, and keep the checkpoints safe.',
    }
  }
  if (problem) {
    return {
      ...{ state: 'bad', detail: problem },
      remedy: 'Mend the folder of the checkpoints (AUDIT_CHECKPOINT_DIR): nothing proves the log meanwhile.',
    }
  }
  return {
    state: 'ok',
    detail: sound
      ? 'Checkpoints are written; the last verification found nothing.'
      : 'Checkpoints are written.',
  }
}

function alerts({ channels }: HealthParts): Judgement {
  const failing = channels.filter(({ dead }) => dead > 0)
  const [first] = failing
  if (first) {
    return {
      state: 'warn',
      detail: `${count(
        failing.reduce((sum, { dead }) => sum + dead, 0),
        'alert',
      )} could not be delivered, the first by ${first.name}.`,
      remedy: 'See why on the Alerts page, and send them again.',
    }
  }
  return channels.length === 0
    ? { state: 'ok', detail: 'Alerts stand in the console alone: no channel is set up.' }
    : { state: 'ok', detail: `${count(channels.length, 'channel')} ${does(channels.length, 'deliver')}.` }
}

function outbound({ unreachable }: HealthParts): Judgement {
  const [first] = unreachable
  if (!first) return { state: 'ok', detail: 'Every server that was called answers.' }
  return {
    state: 'warn',
    detail:
      unreachable.length === 1
        ? `${first} is not called at present: calls to it failed.`
        : `${unreachable.length} servers are not called at present, among them ${first}.`,
    remedy: 'Check that it runs and can be reached from here. It is tried again by itself.',
  }
}

function migration({ run }: HealthParts): Judgement {
  if (!run) return { state: 'ok', detail: 'No run was made.' }
  const href = `/migration/${run.id}`
  if (run.state === 'failed') {
    return {
      ...{ state: 'warn', href },
      detail: `The last run, of ${run.name}, failed. ${run.error ?? ''}`.trim(),
      remedy: 'Open the run: it says what to mend, and goes on from where it stopped.',
    }
  }
  return { state: 'ok', href, detail: `The last run, of ${run.name}, is ${run.state}.` }
}

function consoles({ consoles }: HealthParts): Judgement {
  const versions = [...new Set(consoles)]
  if (versions.length < 2)
    return {
      state: 'ok',
      detail: `${count(consoles.length, 'console')} ${does(consoles.length, 'serve')} this store.`,
    }
  return {
    state: 'warn',
    detail: `Consoles of ${versions.length} versions serve this store: ${versions.join(', ')}.`,
    remedy: 'Finish the upgrade: start the same version everywhere.',
  }
}

const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? '' : 's'}`

/** "takes" of one, "take" of several. */
const does = (number: number, verb: string) => `${verb}${number === 1 ? 's' : ''}`
