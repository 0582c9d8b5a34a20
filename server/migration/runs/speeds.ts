/** How fast a transfer was from its begin to now, in equal steps. */
export interface Speeds {
  everyMs: number
  rowsPerSecond: number[]
}

const MOST = 60

/**
 * Notes how far a transfer came; answers its speeds. When there are too many, two become one and each stands for
 * twice the time, so that a run of days takes no more room than one of a minute.
 */
export function followSpeeds(
  kept: Speeds = { everyMs: 1_000, rowsPerSecond: [] },
): (news: { at: number; done: number; over: boolean }) => Speeds {
  let speeds = kept
  let from: { at: number; done: number } | null = null
  return ({ at, done, over }) => {
    from ??= { at, done }
    const time = at - from.at
    if (time < speeds.everyMs && !(over && time > 0 && done > from.done)) return speeds
    const rowsPerSecond = [...speeds.rowsPerSecond, Math.round(((done - from.done) / time) * 1000)]
    from = { at, done }
    speeds = rowsPerSecond.length > MOST ? halved({ ...speeds, rowsPerSecond }) : { ...speeds, rowsPerSecond }
    return speeds
  }
}

function halved({ everyMs, rowsPerSecond }: Speeds): Speeds {
  const pairs = rowsPerSecond
    .filter((_, i) => i % 2 === 0)
    .map((speed, i) => [speed, rowsPerSecond[2 * i + 1] ?? speed])
  return { everyMs: everyMs * 2, rowsPerSecond: pairs.map(([a = 0, b = 0]) => Math.round((a + b) / 2)) }
}
