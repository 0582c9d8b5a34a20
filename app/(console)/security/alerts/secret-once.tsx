'use client'

import { useId } from 'react'
import { Button } from '@/components/ui/button'
import { CopyButton } from '@/components/ui/copy-button'
import { Dialog } from '@/components/ui/dialog'
import { Time } from '@/components/ui/time'

/** A signing secret that was just made. */
export interface MadeSecret {
  channel: string
  secret: string
  /** Until when the one before signs, too; null for a first one. */
  previousUntil: number | null
}

/** The signing secret of a webhook, shown this once. */
export function SecretOnce({ made, onClose }: { made: MadeSecret; onClose: () => void }) {
  const id = useId()
  return (
    <Dialog
      open
      onClose={onClose}
      title={`Signing secret of ${made.channel}`}
      dismissable={false}
      wide
      actions={
        <>
          <CopyButton text={made.secret} textId={id} label="Copy secret" showLabel />
          <Button variant="primary" onClick={onClose}>
            I saved it
          </Button>
        </>
      }
    >
      <p className="text-muted">
        The receiver verifies with it that a message comes from this console, after the scheme of Standard
        Webhooks. It is shown this once.
      </p>
      <p
        id={id}
        className="border-y border-border bg-wash px-3 py-2 font-mono text-body wrap-anywhere select-all"
      >
        {made.secret}
      </p>
      {made.previousUntil === null ? null : (
        <p>
          Until <Time at={made.previousUntil} withZone /> messages bear the signature of the secret before,
          too.
        </p>
      )}
    </Dialog>
  )
}
