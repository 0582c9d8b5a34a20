'use client'

import { usePathname, useSearchParams } from 'next/navigation'
import { useCallback, useEffect, useMemo, useRef } from 'react'
import type { Sort } from './table'

export type UrlChange = Record<string, string | null>

/**
 * Filter, sort, range and open drawer live in the URL, so that Back restores them. Reading is by
 * `params.get(name)`; `change` sets (string) or removes (null) several at once without asking the server.
 * `push` makes a step for Back, `replace` none.
 */
export function useUrlState() {
  const params = useSearchParams()
  const pathname = usePathname()
  const change = useCallback(
    (changes: UrlChange, how: 'push' | 'replace' = 'push', state: Record<string, unknown> | null = null) => {
      const next = new URLSearchParams(window.location.search)
      for (const [name, value] of Object.entries(changes)) {
        if (value === null) next.delete(name)
        else next.set(name, value)
      }
      const query = next.toString()
      const url = query ? `${pathname}?${query}` : pathname
      if (how === 'push') window.history.pushState(state, '', url)
      else window.history.replaceState(state, '', url)
    },
    [pathname],
  )
  return useMemo(() => ({ params, change }), [params, change])
}

/** What a Drawer needs: the id in the URL, and ways to open and close it. Closing undoes the step that opening made. */
export function useDrawer(name = 'open') {
  const { params, change } = useUrlState()
  const id = params.get(name)
  const open = useCallback(
    (value: string) => {
      // From one row to the next stays one step, and keeps what its entry knew of how it came to be.
      if (id === null) change({ [name]: value }, 'push', { drawer: name })
      else change({ [name]: value }, 'replace', { drawer: window.history.state?.drawer })
    },
    [change, name, id],
  )
  // Back takes its time; asked again meanwhile, it would leave the page.
  const closing = useRef(false)
  // biome-ignore lint/correctness/useExhaustiveDependencies: another id, or none, is what was waited for
  useEffect(() => {
    closing.current = false
  }, [id])
  const close = useCallback(() => {
    if (closing.current) return
    closing.current = true
    if (window.history.state?.drawer === name) window.history.back()
    else change({ [name]: null }, 'replace')
  }, [change, name])
  return { id, open, close }
}

/** The sort in the URL as `sort=name` or `sort=-name`, for a Table's `sort` and `onSort`. */
export function useSort(fallback: Sort, name = 'sort') {
  const { params, change } = useUrlState()
  const written = params.get(name)
  const sort: Sort = written
    ? { by: written.replace(/^-/, ''), direction: written.startsWith('-') ? 'desc' : 'asc' }
    : fallback
  const onSort = useCallback(
    (next: Sort) => change({ [name]: next.direction === 'desc' ? `-${next.by}` : next.by }, 'replace'),
    [change, name],
  )
  return { sort, onSort }
}
