import { setTimeout as after } from 'node:timers/promises'
import { HoldfastError } from '@/server/errors'
import { bringOver, type Sides } from './bring-over'

/** With fewer changes than this left, holding writes takes a moment. */
const FEW = 100
/** What comes while a round goes on takes about as long as the round did: so short a wait is none. */
const QUICK_MS = 150
/** Rounds that take as long as the one before: no more is to be won by another. */
const MOST_STALLED = 5
const LATE_READS_MS = 500
/** Milliseconds that held writes wait at most: then the move is given up and nothing has changed. */
export const longestHold = 10_000

/**
 * Brings over what was noted while writes go on, until so little is left that holding them takes a moment. Answers
 * the number of keys that were brought over.
 */
export async function catchUp(sides: Sides): Promise<number> {
  let arrived = 0
  let before = Number.POSITIVE_INFINITY
  for (let stalled = 0; stalled < MOST_STALLED && (await sides.log.count()) > FEW; ) {
    const begun = performance.now()
    arrived += await bringOver(sides, { held: false })
    const took = performance.now() - begun
    if (took < QUICK_MS) break
    if (took > before * 0.8) stalled++
    before = took
  }
  return arrived
}

/** Reads that have begun on the store that was left end within this; then it can be closed. */
export const lateReads = () => after(LATE_READS_MS)

/** Ends a hold that takes too long: `passed` throws then, and so does `refuse`, from then on. */
export function expiry(milliseconds: number, who: string) {
  let gone = false
  const error = () =>
    new HoldfastError('TARGET_UNREACHABLE', {
      message: `${who} did not take the last changes within ${milliseconds / 1000} s.`,
      remedy: 'Nothing was moved. Look at the load and the locks of both sides, then try again.',
    })
  const passed = new Promise<never>((_, reject) => {
    setTimeout(() => {
      gone = true
      reject(error())
    }, milliseconds).unref()
  })
  passed.catch(() => {})
  return {
    passed,
    refuse() {
      if (gone) throw error()
    },
  }
}
