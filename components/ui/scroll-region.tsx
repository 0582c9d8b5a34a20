'use client'

import clsx from 'clsx'
import { type ReactNode, useEffect, useRef, useState } from 'react'

/** Scrolls sideways when its content is wider, and only then becomes a stop for the keyboard. */
export function ScrollRegion({
  label,
  children,
  className,
}: {
  label: string
  children: ReactNode
  className?: string
}) {
  const region = useRef<HTMLDivElement>(null)
  const [overflows, setOverflows] = useState(false)
  useEffect(() => {
    const element = region.current
    if (!element) return
    const measure = () =>
      setOverflows(
        element.scrollWidth > element.clientWidth + 1 || element.scrollHeight > element.clientHeight + 1,
      )
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    for (const child of element.children) observer.observe(child)
    return () => observer.disconnect()
  }, [])
  return (
    <section
      ref={region}
      aria-label={overflows ? label : undefined}
      tabIndex={overflows ? 0 : undefined}
      className={clsx('overflow-x-auto', className)}
    >
      {children}
    </section>
  )
}
