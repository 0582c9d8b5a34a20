'use client'

import { useCallback, useRef, useState } from 'react'

/**
 * Runs `action` at most once at a time: calls while it runs are dropped, so that a double click causes one
 * mutation. Returns the guarded function and whether it runs. Errors pass through to the caller.
 */
export function useSingleFlight<Args extends unknown[]>(
  action: (...args: Args) => unknown,
): [(...args: Args) => Promise<void>, boolean] {
  const running = useRef(false)
  const [busy, setBusy] = useState(false)
  const run = useCallback(
    async (...args: Args) => {
      if (running.current) return
      running.current = true
      try {
        const result = action(...args)
        if (isPromise(result)) {
          setBusy(true)
          await result
        }
      } finally {
        running.current = false
        setBusy(false)
      }
    },
    [action],
  )
  return [run, busy]
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value
}
