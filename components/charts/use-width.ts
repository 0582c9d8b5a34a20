'use client'

import { useEffect, useState } from 'react'

/** The width of an element in whole px; null until it is known. */
export function useWidth(element: { current: HTMLElement | null }): number | null {
  const [width, setWidth] = useState<number | null>(null)
  useEffect(() => {
    const target = element.current
    if (!target) return
    const observer = new ResizeObserver(([entry]) =>
      setWidth(Math.floor(entry?.contentRect.width ?? 0) || null),
    )
    observer.observe(target)
    return () => observer.disconnect()
  }, [element])
  return width
}
