'use client'

import { useCallback, useEffect, useMemo, useRef } from 'react'

/**
 * Calls `run` at most every `least` ms and never twice at a time; a call that comes meanwhile is made up for.
 * @param fresh what `run` fetches came with the page: the first call, too, waits for `least`
 */
export function useSteady(run: () => Promise<unknown>, least: number, { fresh = false } = {}): () => void {
  const latest = useRef(run)
  latest.current = run
  const state = useRef<{ busy: boolean; again: boolean; timer?: ReturnType<typeof setTimeout> }>({
    busy: false,
    again: false,
  })
  const steps = useMemo(() => {
    const { current } = state
    const made = {
      rest() {
        current.busy = true
        current.timer = setTimeout(() => {
          current.busy = false
          if (current.again) made.begin()
        }, least)
      },
      begin() {
        current.busy = true
        current.again = false
        latest.current().then(made.rest, made.rest)
      },
    }
    return made
  }, [least])
  // biome-ignore lint/correctness/useExhaustiveDependencies: only what came with the page is fresh
  useEffect(() => {
    const { current } = state
    if (fresh) steps.rest()
    return () => clearTimeout(current.timer)
  }, [])
  return useCallback(() => {
    if (state.current.busy) state.current.again = true
    else steps.begin()
  }, [steps])
}
