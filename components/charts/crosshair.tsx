'use client'

import { createContext, type ReactNode, use, useState, useSyncExternalStore } from 'react'

type Store = {
  get: () => number | null
  set: (time: number | null) => void
  subscribe: (listener: () => void) => () => void
}

function createStore(): Store {
  const listeners = new Set<() => void>()
  let time: number | null = null
  return {
    get: () => time,
    set: (next) => {
      if (next === time) return
      time = next
      for (const listener of listeners) listener()
    },
    subscribe: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

const CrosshairContext = createContext<Store | null>(null)

/** Charts below share one crosshair: pointing at a time in one shows it in all. */
export function CrosshairProvider({ children }: { children: ReactNode }) {
  const [store] = useState(createStore)
  return <CrosshairContext value={store}>{children}</CrosshairContext>
}

/** The time under the crosshair, or null, and a way to move it. Without a provider it belongs to this chart alone. */
export function useCrosshair(): [number | null, (time: number | null) => void] {
  const shared = use(CrosshairContext)
  const [own] = useState(createStore)
  const store = shared ?? own
  const time = useSyncExternalStore(store.subscribe, store.get, () => null)
  return [time, store.set]
}
