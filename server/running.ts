import type { Runtime } from './runtime'

const shared = globalThis as typeof globalThis & { holdfast?: Promise<Runtime> }

/**
 * The runtime of this process, which the server's entry opened before it answered anything. Next evaluates
 * modules more than once and shares globalThis alone, so it is kept there. Routes import this module, not
 * the runtime itself: a route's bundle would hold, and trace, everything that lives.
 */
export async function getRuntime(): Promise<Runtime> {
  if (!shared.holdfast) throw new Error('The runtime is not open: Holdfast is served by dist/main.mjs.')
  return shared.holdfast
}

/** Puts the runtime where getRuntime finds it; called once, by the server's entry. */
export function setRuntime(opening: Promise<Runtime>): Promise<Runtime> {
  shared.holdfast = opening
  return opening
}
