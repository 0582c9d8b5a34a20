'use client'

import clsx from 'clsx'
import { type ReactNode, useEffect, useLayoutEffect, useRef } from 'react'
import { useToastHost } from './toast'

export type ModalProps = {
  open: boolean
  onClose: () => void
  /** Id of the element that names it. */
  labelledBy?: string
  label?: string
  className?: string
  /** False while something runs that must not be left: Esc and the backdrop then do nothing. */
  dismissable?: boolean
  children: ReactNode
}

/**
 * The native dialog: focus stays inside, Esc and the backdrop close it, focus returns to where it came from.
 * An element with `data-autofocus` gets the focus first.
 */
export function Modal({
  open,
  onClose,
  labelledBy,
  label,
  className,
  dismissable = true,
  children,
}: ModalProps) {
  const element = useRef<HTMLDialogElement>(null)
  const pressedOutside = useRef(false)
  const takeToasts = useToastHost()

  useLayoutEffect(() => {
    const dialog = element.current
    if (!dialog || !open) return
    if (!dialog.open) dialog.showModal()
    const giveBack = takeToasts?.(dialog)
    return () => {
      giveBack?.()
      dialog.close()
    }
  }, [open, takeToasts])

  useEffect(() => {
    if (open) element.current?.querySelector<HTMLElement>('[data-autofocus]')?.focus()
  }, [open])

  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the click is on the backdrop; Esc is the key for it
    <dialog
      ref={element}
      aria-labelledby={labelledBy}
      aria-label={label}
      className={clsx('p-0', className)}
      onCancel={(event) => {
        // A second Esc in a row can't be refused: the browser closes the dialog, and onClose below is told.
        if (event.target !== event.currentTarget || !event.cancelable) return
        event.preventDefault()
        if (dismissable) onClose()
      }}
      onClose={({ target, currentTarget }) => {
        if (target !== currentTarget || currentTarget.open || !open) return
        if (dismissable) onClose()
        else if (currentTarget.isConnected) currentTarget.showModal()
      }}
      onPointerDown={(event) => {
        pressedOutside.current = event.target === event.currentTarget
      }}
      onClick={(event) => {
        if (dismissable && pressedOutside.current && event.target === event.currentTarget) onClose()
        pressedOutside.current = false
      }}
    >
      {open ? children : null}
    </dialog>
  )
}
