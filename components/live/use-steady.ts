'use client'

import { useCallback, useEffect, useRef } from 'react'

/** Calls `run` at most every `least` ms and never twice at a time; a call that comes meanwhile is made up for. */
export function useSteady(run: () => Promise<unknown>, least: number): () => void {
  const latest = useRef(run)
  latest.current = run
  const state = useRef<{ busy: boolean; again: boolean; timer?: ReturnType<typeof setTimeout> }>({
    busy: false,
    again: false,
  })
  useEffect(() => {
    const { current } = state
    return () => clearTimeout(current.timer)
  }, [])
  return useCallback(() => {
    const { current } = state
    const begin = () => {
      current.busy = true
      current.again = false
      const done = () => {
        current.timer = setTimeout(() => {
          current.busy = false
          if (current.again) begin()
        }, least)
      }
      latest.current().then(done, done)
    }
    if (current.busy) current.again = true
    else begin()
  }, [least])
}
