'use client'

import { type ReactNode, useEffect, useId, useRef, useState } from 'react'
import { placeBeside } from './anchor'

/**
 * A term that explains itself on hover, focus or tap. The explanation is the term's description, stays while
 * the pointer is on it, and Esc takes it away (WCAG 1.4.13).
 */
export function Tooltip({ children, text }: { children: ReactNode; text: ReactNode }) {
  const id = useId()
  const anchor = useRef<HTMLButtonElement>(null)
  const bubble = useRef<HTMLDivElement>(null)
  const [open, setOpen] = useState(false)

  useEffect(() => {
    const element = bubble.current
    if (!open || !element || !anchor.current) return
    element.showPopover()
    placeBeside(element, anchor.current, { block: 'above', inline: 'start' })
    const onKey = (event: KeyboardEvent) => {
      if (event.key === 'Escape') setOpen(false)
    }
    document.addEventListener('keydown', onKey)
    return () => {
      document.removeEventListener('keydown', onKey)
      element.hidePopover()
    }
  }, [open])

  return (
    <span className="relative" onPointerEnter={() => setOpen(true)} onPointerLeave={() => setOpen(false)}>
      <button
        ref={anchor}
        type="button"
        aria-describedby={id}
        className="cursor-help underline decoration-control decoration-dotted underline-offset-4"
        onFocus={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onClick={() => setOpen(true)}
      >
        {children}
      </button>
      <div
        ref={bubble}
        id={id}
        role="tooltip"
        popover="manual"
        className="fixed inset-auto m-0 w-max max-w-72 rounded-float border border-border bg-surface px-3 py-2 text-left text-note font-normal text-text normal-case shadow-float"
      >
        {text}
      </div>
    </span>
  )
}
