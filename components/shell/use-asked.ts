'use client'

import { useEffect, useEffectEvent } from 'react'
import { useUrlState } from '@/components/ui/url-state'

/** Names in the address what a page is to begin with: `/security/users?do=invite`. */
export const ASKED = 'do'

/**
 * Begins what the address asks for, once, and takes it out of the address. It opens a dialog or moves the focus, and
 * changes nothing by itself: a link from elsewhere can ask, too.
 * @param may whether the user may do it; what is asked waits until that is known
 */
export function useAsked(what: string, begin: () => void, may = true): void {
  const { params, change } = useUrlState()
  const asked = may && params.get(ASKED) === what
  const begun = useEffectEvent(() => {
    change({ [ASKED]: null }, 'replace')
    begin()
  })
  useEffect(() => {
    if (asked) begun()
  }, [asked])
}
