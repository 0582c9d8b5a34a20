import { afterEach } from 'vitest'

/** Answers a function that takes what is to be undone after the test, the last first. */
export function undoAfterEach(): (step: () => unknown) => void {
  const undo: (() => unknown)[] = []
  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step()
  })
  return (step) => {
    undo.push(step)
  }
}
