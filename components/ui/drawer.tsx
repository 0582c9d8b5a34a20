'use client'

import { type ReactNode, useId } from 'react'
import { IconButton } from './button'
import { CloseIcon } from './icons'
import { Modal } from './modal'

export type DrawerProps = {
  open: boolean
  onClose: () => void
  title: ReactNode
  /** A line under the title: a status, a time. */
  subtitle?: ReactNode
  children: ReactNode
  /** Buttons, kept in sight at the bottom. */
  footer?: ReactNode
}

/** A row's detail at the right edge, 480 px. Use it with `useDrawer()`: it then has its own URL and Back closes it. */
export function Drawer({ open, onClose, title, subtitle, children, footer }: DrawerProps) {
  const id = useId()
  return (
    <Modal
      open={open}
      onClose={onClose}
      labelledBy={id}
      className="fixed inset-y-0 right-0 left-auto m-0 h-dvh max-h-none w-[30rem] max-w-full border-l border-border shadow-float open:animate-enter-right"
    >
      <div className="flex h-full flex-col">
        <header className="flex items-start justify-between gap-3 border-b border-border py-3 pr-3 pl-6">
          <div className="min-w-0">
            <h2 id={id} className="text-lead font-medium wrap-anywhere">
              {title}
            </h2>
            {subtitle ? <div className="text-note text-muted">{subtitle}</div> : null}
          </div>
          <IconButton label="Close" onClick={onClose}>
            <CloseIcon />
          </IconButton>
        </header>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
        <section aria-labelledby={id} className="min-h-0 flex-1 overflow-y-auto px-6 py-4" tabIndex={0}>
          {children}
        </section>
        {footer ? (
          <footer className="flex flex-wrap justify-end gap-2 border-t border-border px-6 py-3">
            {footer}
          </footer>
        ) : null}
      </div>
    </Modal>
  )
}
