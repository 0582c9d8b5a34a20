'use client'

import { useState } from 'react'
import { useLiveEvent } from '@/components/live/live'

/**
 * The server's present in ms, as far as it matters: it moves on once `step` has passed, so that what is asked of a
 * following range stays the same in between. `opened` is the present of the page's first HTML.
 */
export function usePresent(opened: number, step: number): number {
  const [now, setNow] = useState(opened)
  useLiveEvent('sample', ({ at }) => {
    if (Math.abs(at - now) >= step / 4) setNow(at)
  })
  return now
}
