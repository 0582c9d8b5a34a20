'use client'

import { createContext, type ReactNode, use, useCallback, useEffect, useRef, useState } from 'react'
import { IconButton } from './button'
import { CloseIcon } from './icons'
import { type StatusKind, StatusMark } from './status'

export type ToastInput = {
  text: ReactNode
  tone?: Exclude<StatusKind, 'off'>
  /** Takes the optimistic change back. Its toast stays 8 s. */
  undo?: () => unknown
  /** Called once when the toast leaves without having been undone: the moment to commit. */
  onExpire?: () => void
}

type Entry = ToastInput & { id: number }

const LIFE_MS = 8_000
const MOST = 3
const ToastContext = createContext<((toast: ToastInput) => void) | null>(null)

/** Says what was done, and offers to undo it for 8 s. `toast({ text, undo })`. */
export function useToast(): (toast: ToastInput) => void {
  const show = use(ToastContext)
  if (!show) throw new Error('useToast needs a ToastProvider above it')
  return show
}

/** Holds the toasts in one polite live region, above dialogs; the clock stands still under the pointer or focus. */
export function ToastProvider({ children }: { children: ReactNode }) {
  const [entries, setEntries] = useState<readonly Entry[]>([])
  const [held, setHeld] = useState(false)
  const next = useRef(1)
  const region = useRef<HTMLElement>(null)

  const shown = useRef<readonly Entry[]>([])
  const put = useCallback((entries: readonly Entry[]) => {
    shown.current = entries
    setEntries(entries)
  }, [])
  const drop = useCallback(
    (id: number, undone = false) => {
      const gone = shown.current.find((entry) => entry.id === id)
      put(shown.current.filter((entry) => entry.id !== id))
      if (!undone) gone?.onExpire?.()
    },
    [put],
  )
  const show = useCallback(
    (toast: ToastInput) => {
      const oldest = shown.current[MOST - 1] ? shown.current[0] : undefined
      if (oldest) drop(oldest.id)
      put([...shown.current, { ...toast, id: next.current++ }])
    },
    [drop, put],
  )

  // A popover shown again goes to the top of the top layer, above a dialog opened since.
  useEffect(() => {
    const element = region.current
    if (!element || entries.length === 0) return
    if (element.matches(':popover-open')) element.hidePopover()
    element.showPopover()
  }, [entries])

  return (
    <ToastContext value={show}>
      {children}
      <section
        ref={region}
        popover="manual"
        aria-label="Messages"
        className="fixed inset-auto right-4 bottom-20 m-0 w-80 max-w-[calc(100vw-2rem)] bg-transparent text-text rail:bottom-4"
        onPointerEnter={() => setHeld(true)}
        onPointerLeave={() => setHeld(false)}
        onFocus={() => setHeld(true)}
        onBlur={() => setHeld(false)}
      >
        <div role="status" className="flex flex-col gap-2">
          {entries.map((entry) => (
            <ToastLine key={entry.id} entry={entry} held={held} onDrop={drop} />
          ))}
        </div>
      </section>
    </ToastContext>
  )
}

function ToastLine({
  entry,
  held,
  onDrop,
}: {
  entry: Entry
  held: boolean
  onDrop: (id: number, undone?: boolean) => void
}) {
  const left = useRef(LIFE_MS)

  useEffect(() => {
    if (held) return
    const from = Date.now()
    const timer = setTimeout(() => onDrop(entry.id), left.current)
    return () => {
      clearTimeout(timer)
      left.current = Math.max(0, left.current - (Date.now() - from))
    }
  }, [held, onDrop, entry.id])

  return (
    <div className="flex items-center gap-2 rounded-float border border-border bg-surface py-2 pr-2 pl-3 shadow-float animate-enter">
      {entry.tone ? <StatusMark kind={entry.tone} /> : null}
      <div className="min-w-0 flex-1">{entry.text}</div>
      {entry.undo ? (
        <button
          type="button"
          className="h-8 rounded-control px-2 font-medium text-accent underline underline-offset-4 hover:bg-wash"
          onClick={() => {
            onDrop(entry.id, true)
            return entry.undo?.()
          }}
        >
          Undo
        </button>
      ) : null}
      <IconButton label="Dismiss" onClick={() => onDrop(entry.id)}>
        <CloseIcon />
      </IconButton>
    </div>
  )
}
