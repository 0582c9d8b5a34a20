'use client'

import { useCallback, useSyncExternalStore } from 'react'
import { rememberPreference, THEME_COOKIE, THEMES, type Theme } from './preferences'

const CLASSES: Record<Theme, string> = { light: 'light', dark: 'dark', system: 'theme-system' }
const listeners = new Set<() => void>()

function current(): Theme {
  const { classList } = document.documentElement
  return THEMES.find((theme) => classList.contains(CLASSES[theme])) ?? 'system'
}

/** The theme in force and a way to choose another: the class on <html> at once, the cookie for the server. */
export function useTheme(): [Theme, (theme: Theme) => void] {
  const theme = useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    current,
    (): Theme => 'system',
  )
  const choose = useCallback((next: Theme) => {
    document.documentElement.classList.remove(...Object.values(CLASSES))
    document.documentElement.classList.add(CLASSES[next])
    rememberPreference(THEME_COOKIE, next)
    for (const listener of listeners) listener()
  }, [])
  return [theme, choose]
}
