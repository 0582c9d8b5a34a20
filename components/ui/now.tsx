'use client'

import { createContext, type ReactNode, use, useSyncExternalStore } from 'react'

const RenderedAt = createContext(0)

/** When the server wrote the page, ms: its HTML says how long ago things were from there, and so does the first paint. */
export function NowProvider({ at, children }: { at: number; children: ReactNode }) {
  return <RenderedAt value={at}>{children}</RenderedAt>
}

const listeners = new Set<() => void>()
let now = Date.now()
let timer: ReturnType<typeof setInterval> | undefined

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  if (timer === undefined) {
    now = Date.now()
    timer = setInterval(() => {
      now = Date.now()
      for (const each of listeners) each()
    }, 1000)
  }
  return () => {
    listeners.delete(listener)
    if (listeners.size === 0) {
      clearInterval(timer)
      timer = undefined
    }
  }
}

/**
 * The browser's time in ms, to the second, from one shared timer. In the first HTML, and until the browser has taken
 * it over, when the server wrote it: a text of another length would shift what stands beside it.
 */
export function useNow(): number {
  const renderedAt = use(RenderedAt)
  return useSyncExternalStore(
    subscribe,
    () => now,
    () => renderedAt,
  )
}
