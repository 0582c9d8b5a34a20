'use client'

import { useUrlState } from '@/components/ui/url-state'
import { matchWithin, type Place, placeOf } from './place'

/** The place in the address, and the ways to another; each is a step for Back. */
export function usePlace() {
  const { params, change } = useUrlState()
  const place = placeOf(params)
  const go = (next: Partial<Place>) => {
    const { scope, prefix, match } = { ...place, ...next }
    change({ scope: scope === 'all' ? 'all' : null, prefix: prefix || null, match: match || null, key: null })
  }
  return {
    place,
    go,
    open: (prefix: string) => go({ prefix, match: matchWithin(place.match) }),
    show: (scope: Place['scope']) => go({ scope, prefix: '', match: matchWithin(place.match) }),
    filter: (match: string) => go({ match: match.trim() }),
  }
}
