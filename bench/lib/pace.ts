const TICK_MS = 10

/** Calls `begin` so many times a second, whatever became of the calls before (an open loop). Answers how to stop. */
export function paced(perSecond: number, begin: () => void): () => void {
  let owed = 0
  let last = performance.now()
  const ticking = setInterval(() => {
    const now = performance.now()
    owed += ((now - last) / 1000) * perSecond
    last = now
    for (; owed >= 1; owed--) begin()
  }, TICK_MS)
  return () => clearInterval(ticking)
}
