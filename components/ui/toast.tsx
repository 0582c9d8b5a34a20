'use client'

import clsx from 'clsx'
import { createContext, type ReactNode, use, useCallback, useEffect, useRef, useState } from 'react'
import { createPortal } from 'react-dom'
import { IconButton } from './button'
import { CloseIcon } from './icons'
import { type StatusKind, StatusMark } from './status'

export type ToastInput = {
  text: ReactNode
  tone?: Exclude<StatusKind, 'off'>
  /** Takes back what was done. It is offered for 8 s. */
  undo?: () => unknown
}

/** `clock`: how long it still stays; it goes on where it was when the toasts move into a dialog or out of it. */
type Entry = ToastInput & { id: number; clock: { left: number } }

const LIFE_MS = 8_000
const MOST = 3
const ToastContext = createContext<((toast: ToastInput) => void) | null>(null)
const HostContext = createContext<((dialog: HTMLElement) => () => void) | null>(null)

/** Says what was done, and offers to undo it for 8 s. `toast({ text, undo })`. */
export function useToast(): (toast: ToastInput) => void {
  const show = use(ToastContext)
  if (!show) throw new Error('useToast needs a ToastProvider above it')
  return show
}

/** For a modal dialog that has opened: takes the toasts into it until what it answers is called. */
export const useToastHost = () => use(HostContext)

/**
 * Holds the toasts in one polite live region, above dialogs; the clock stands still under the pointer or focus.
 * All that is outside of a modal dialog is inert, toasts as well: they stand in the topmost one.
 */
export function ToastProvider({ children }: { children: ReactNode }) {
  const [entries, setEntries] = useState<readonly Entry[]>([])
  const [held, setHeld] = useState(false)
  const [dialogs, setDialogs] = useState<readonly HTMLElement[]>([])
  const next = useRef(1)
  const region = useRef<HTMLElement>(null)

  const shown = useRef<readonly Entry[]>([])
  const put = useCallback((entries: readonly Entry[]) => {
    shown.current = entries
    setEntries(entries)
  }, [])
  const drop = useCallback((id: number) => put(shown.current.filter((entry) => entry.id !== id)), [put])
  const show = useCallback(
    (toast: ToastInput) =>
      put([...shown.current.slice(1 - MOST), { ...toast, id: next.current++, clock: { left: LIFE_MS } }]),
    [put],
  )
  const host = useCallback((dialog: HTMLElement) => {
    setDialogs((open) => [...open, dialog])
    return () => setDialogs((open) => open.filter((each) => each !== dialog))
  }, [])
  const dialog = dialogs.at(-1)

  // A popover shown again goes to the top of the top layer, above a dialog opened since.
  // biome-ignore lint/correctness/useExhaustiveDependencies: in another dialog it is another element
  useEffect(() => {
    const element = region.current
    // A dialog that has just gone takes it along, for a moment.
    if (!element?.isConnected || entries.length === 0) return
    if (element.matches(':popover-open')) element.hidePopover()
    element.showPopover()
  }, [entries, dialog])

  const toasts = (
    <section
      ref={region}
      popover="manual"
      aria-label="Messages"
      className={clsx(
        'fixed inset-auto bottom-20 m-0 w-80 max-w-[calc(100vw-2rem)] bg-transparent text-text rail:bottom-4',
        // A drawer is at the right, with its buttons.
        dialog ? 'left-4' : 'right-4',
      )}
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
  )
  return (
    <ToastContext value={show}>
      <HostContext value={host}>{children}</HostContext>
      {dialog ? createPortal(toasts, dialog) : toasts}
    </ToastContext>
  )
}

function ToastLine({ entry, held, onDrop }: { entry: Entry; held: boolean; onDrop: (id: number) => void }) {
  const { id, clock } = entry

  useEffect(() => {
    if (held) return
    const from = Date.now()
    const timer = setTimeout(() => onDrop(id), clock.left)
    return () => {
      clearTimeout(timer)
      clock.left = Math.max(0, clock.left - (Date.now() - from))
    }
  }, [held, onDrop, id, clock])

  return (
    <div className="flex items-center gap-2 rounded-float border border-border bg-surface py-2 pr-2 pl-3 shadow-float animate-enter">
      {entry.tone ? <StatusMark kind={entry.tone} /> : null}
      <div className="min-w-0 flex-1">{entry.text}</div>
      {entry.undo ? (
        <button
          type="button"
          className="h-8 rounded-control px-2 font-medium text-accent underline underline-offset-4 hover:bg-wash"
          onClick={() => {
            onDrop(id)
            return entry.undo?.()
          }}
        >
          Undo
        </button>
      ) : null}
      <IconButton label="Dismiss" onClick={() => onDrop(id)}>
        <CloseIcon />
      </IconButton>
    </div>
  )
}
