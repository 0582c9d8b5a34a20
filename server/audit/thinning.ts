import type { Checkpoint } from './checkpoint'

const HOUR_MS = 3_600_000
/** Clocks of several hosts differ a little, which looks like many small steps back. */
const MOST_STEPS = 10

/**
 * Of each hour the last checkpoint, and whatever shows that a log went back or has another history: those before
 * and after the largest steps back, and those that contradict one another. The last ones prove the chain up to
 * themselves.
 * @param checkpoints in the order of signing.
 */
export function thinned(checkpoints: readonly Checkpoint[]): Checkpoint[] {
  const hours = new Map<number, Checkpoint[]>()
  for (const checkpoint of checkpoints) {
    const hour = Math.floor(checkpoint.time / HOUR_MS)
    hours.set(hour, [...(hours.get(hour) ?? []), checkpoint])
  }
  const kept = new Set<Checkpoint>()
  let before: Checkpoint | undefined
  for (const hour of hours.values()) {
    for (const checkpoint of [...lastOfEachKey(hour), ...highest(hour), ...stepsBack(hour, before)])
      kept.add(checkpoint)
    before = hour.at(-1)
  }
  for (const checkpoint of contradictory(checkpoints)) kept.add(checkpoint)
  return checkpoints.filter((checkpoint) => kept.has(checkpoint))
}

function lastOfEachKey(hour: Checkpoint[]): Checkpoint[] {
  return [...new Map(hour.map((checkpoint) => [checkpoint.key, checkpoint])).values()]
}

const isBehind = (a: Checkpoint, b: Checkpoint) => a.epoch < b.epoch || (a.epoch === b.epoch && a.seq < b.seq)

function highest([first, ...rest]: Checkpoint[]): Checkpoint[] {
  return first ? [rest.reduce((most, next) => (isBehind(most, next) ? next : most), first)] : []
}

function stepsBack(hour: Checkpoint[], before: Checkpoint | undefined): Checkpoint[] {
  const row = before ? [before, ...hour] : hour
  return row
    .flatMap((checkpoint, at) => {
      const next = row[at + 1]
      return next && isBehind(next, checkpoint) ? [[checkpoint, next] as const] : []
    })
    .sort(([a, b], [c, d]) => c.seq - d.seq - (a.seq - b.seq))
    .slice(0, MOST_STEPS)
    .flat()
}

/** The first of two that sign another hash for the same place, and the other one. */
function contradictory(checkpoints: readonly Checkpoint[]): Checkpoint[] {
  const ofPlace = new Map<string, Checkpoint>()
  return checkpoints.flatMap((checkpoint) => {
    const place = `${checkpoint.epoch}:${checkpoint.seq}`
    const first = ofPlace.get(place)
    if (!first) ofPlace.set(place, checkpoint)
    return first && first.hash !== checkpoint.hash ? [first, checkpoint] : []
  })
}
