/** How fast a transfer was from its begin to now: columns of equal length. */
export interface Speeds {
  /** How long each step is at least. */
  everyMs: number
  rowsPerSecond: number[]
  /** Missing in runs of before release 0.8.0, as are the ends of the steps. */
  bytesPerSecond?: number[]
  at?: number[]
}

/** How far a transfer came. */
export interface Reached {
  at: number
  done: number
  bytes: number
}

const MOST = 120
/** News come four times a second; at first a step is two of them, so that a short transfer is seen, too. */
const FIRST_MS = 500

/**
 * Notes how far a transfer came; answers its speeds. When there are too many, two become one and each stands for
 * twice the time, so that a run of days takes no more room than one of a minute.
 */
export function followSpeeds(kept?: Speeds): (news: Reached & { over: boolean }) => Speeds {
  // A run that an older release began has no times: its speeds begin anew.
  let speeds: Steps = hasTimes(kept)
    ? kept
    : {
        everyMs: FIRST_MS,
        at: [],
        rowsPerSecond: [],
        bytesPerSecond: [],
      }
  let from: Reached | null = null
  return ({ over, ...now }) => {
    from ??= now
    const time = now.at - from.at
    if (time < speeds.everyMs && !(over && time > 0 && now.done > from.done)) return speeds
    const perSecond = (amount: number) => Math.round((Math.max(0, amount) / time) * 1000)
    speeds = {
      everyMs: speeds.everyMs,
      at: [...speeds.at, now.at],
      rowsPerSecond: [...speeds.rowsPerSecond, perSecond(now.done - from.done)],
      bytesPerSecond: [...speeds.bytesPerSecond, perSecond(now.bytes - from.bytes)],
    }
    if (speeds.at.length > MOST) speeds = halved(speeds)
    from = now
    return speeds
  }
}

type Steps = Required<Speeds>

const hasTimes = (kept: Speeds | undefined): kept is Steps => kept?.at !== undefined

function halved({ everyMs, at, rowsPerSecond, bytesPerSecond }: Steps): Steps {
  return {
    everyMs: everyMs * 2,
    at: at.filter((_, i) => i % 2 === 1 || i === at.length - 1),
    rowsPerSecond: means(rowsPerSecond),
    bytesPerSecond: means(bytesPerSecond),
  }
}

/** Of each two that follow each other; the last one of an odd number stays. */
function means(values: readonly number[]): number[] {
  return values
    .filter((_, i) => i % 2 === 0)
    .map((value, i) => Math.round((value + (values[2 * i + 1] ?? value)) / 2))
}
