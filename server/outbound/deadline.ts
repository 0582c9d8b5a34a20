/** A signal that ends with the first of the caller's signal and a time, and what takes both away again. */
export interface Deadline {
  signal: AbortSignal
  /** By performance.now(). */
  end: number
  clear(): void
}

/** Opens a deadline. `over` makes the reason when the time is over. */
export function openDeadline(
  milliseconds: number,
  signals: readonly (AbortSignal | undefined)[],
  over: () => Error,
): Deadline {
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(over()), milliseconds)
  // AbortSignal.any would keep a place in a long-lived signal until it is collected.
  const undo = signals.map((signal) => follow(signal, controller))
  return {
    signal: controller.signal,
    end: performance.now() + milliseconds,
    clear() {
      clearTimeout(timer)
      for (const take of undo) take()
    },
  }
}

function follow(signal: AbortSignal | undefined, controller: AbortController): () => void {
  if (!signal) return () => {}
  const abort = () => controller.abort(signal.reason)
  if (signal.aborted) abort()
  else signal.addEventListener('abort', abort, { once: true })
  return () => signal.removeEventListener('abort', abort)
}

/** What the work answers, unless the signal ends first: then its reason is thrown and the work goes on alone. */
export function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason)
    if (signal.aborted) leave()
    else signal.addEventListener('abort', leave, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
  })
}

/** Waits. Throws the reason of the signal when that ends first. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const wait = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds)
  })
  try {
    await unlessAborted(signal, wait)
  } finally {
    clearTimeout(timer)
  }
}
