'use client'

import { type ReactNode, useId } from 'react'
import { Button } from '@/components/ui/button'
import { CopyButton } from '@/components/ui/copy-button'
import { Dialog } from '@/components/ui/dialog'
import { Time } from '@/components/ui/time'

/** A secret that is shown this once. Neither Esc nor a click beside it closes it by mistake. */
export function ShownOnce({
  title,
  secret,
  copyLabel,
  expiresAt,
  onClose,
  children,
}: {
  title: string
  secret: string
  /** The spoken and shown name of the copy button: `Copy link`. */
  copyLabel: string
  expiresAt: number
  onClose: () => void
  /** What to do with it. */
  children: ReactNode
}) {
  const id = useId()
  return (
    <Dialog
      open
      onClose={onClose}
      title={title}
      dismissable={false}
      wide
      actions={
        <>
          <CopyButton text={secret} textId={id} label={copyLabel} showLabel />
          <Button variant="primary" onClick={onClose}>
            I saved it
          </Button>
        </>
      }
    >
      <div className="text-muted">{children}</div>
      <p
        id={id}
        className="border-y border-border bg-wash px-3 py-2 font-mono text-body wrap-anywhere select-all"
      >
        {secret}
      </p>
      <p>
        Works until <Time at={expiresAt} withZone />. It is shown this once: Holdfast keeps only its hash.
      </p>
    </Dialog>
  )
}

/** A link that was just made, and for whom. */
export interface MadeLink {
  kind: 'invite' | 'reset'
  email: string
  link: string
  expiresAt: number
}

/** The link of an invitation or a password reset, for the admin to hand over. */
export function LinkOnce({ made, onClose }: { made: MadeLink; onClose: () => void }) {
  return (
    <ShownOnce
      title={made.kind === 'invite' ? 'Invitation link' : 'Password link'}
      secret={made.link}
      copyLabel="Copy link"
      expiresAt={made.expiresAt}
      onClose={onClose}
    >
      Give it to <span className="text-text">{made.email}</span> by a way that nobody else reads: whoever
      opens it first {made.kind === 'invite' ? 'gets the account' : 'sets the password'}. It works once.
    </ShownOnce>
  )
}
