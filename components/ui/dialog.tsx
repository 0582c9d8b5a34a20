'use client'

import { type ReactNode, useId } from 'react'
import { Modal } from './modal'

export type DialogProps = {
  open: boolean
  onClose: () => void
  title: ReactNode
  children: ReactNode
  /** Buttons at the bottom right: the quiet one first, the one that acts last. */
  actions?: ReactNode
  /** What went wrong; it stays here until the next try. */
  error?: ReactNode
  dismissable?: boolean
  wide?: boolean
}

/** A small sheet over the page. */
export function Dialog({ open, onClose, title, children, actions, error, dismissable, wide }: DialogProps) {
  const id = useId()
  return (
    <Modal
      open={open}
      onClose={onClose}
      labelledBy={id}
      dismissable={dismissable}
      className={`m-auto max-h-[calc(100dvh-2rem)] max-w-[calc(100vw-2rem)] overflow-y-auto rounded-float border border-border shadow-float open:animate-enter ${wide ? 'w-[40rem]' : 'w-[28rem]'}`}
    >
      <div className="flex flex-col gap-4 p-6">
        <h2 id={id} className="text-lead font-medium">
          {title}
        </h2>
        <div className="flex flex-col gap-4">{children}</div>
        <DialogError>{error}</DialogError>
        {actions ? <div className="flex flex-wrap justify-end gap-2 pt-2">{actions}</div> : null}
      </div>
    </Modal>
  )
}

/** Where a dialog says what went wrong, between its fields and its buttons. Always there, so that it is announced. */
export function DialogError({ children }: { children: ReactNode }) {
  return (
    <div role="alert" className="border-l-2 border-bad pl-3 text-bad empty:hidden">
      {children}
    </div>
  )
}
