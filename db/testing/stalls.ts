/**
 * Watches from now on for how long this process could not run, in ms: what a busy machine adds to all that it
 * times. A test of how long something takes leaves that out: `const at = stalls.sum(); … stalls.sum() - at`.
 */
export function watchStalls(): { sum(): number; stop(): void } {
  const period = 20
  let sum = 0
  let last = performance.now()
  const late = () => Math.max(0, performance.now() - last - period)
  const timer = setInterval(() => {
    sum += late()
    last = performance.now()
  }, period)
  return { sum: () => sum + late(), stop: () => clearInterval(timer) }
}
