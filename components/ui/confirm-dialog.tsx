'use client'

import { type FormEvent, type ReactNode, useState } from 'react'
import { Button } from './button'
import { ConfirmName, nameTyped } from './confirm-name'
import { Dialog, DialogError } from './dialog'
import { ErrorText } from './error-text'
import { FormActions } from './form-actions'
import { useSingleFlight } from './single-flight'

export type ConfirmDialogProps = {
  open: boolean
  onClose: () => void
  title: ReactNode
  /** What will happen, in one or two sentences. */
  effect: ReactNode
  /** The name to type before the button acts. Leave it out for what can be undone by hand. */
  confirmName?: string
  /** The verb on the button: `End session`. */
  confirmLabel: string
  variant?: 'danger' | 'primary'
  /** Does it. A rejection stays in the dialog as its error; success closes it. */
  onConfirm: () => Promise<unknown>
}

/** Asks before something that cannot be taken back. */
export function ConfirmDialog(props: ConfirmDialogProps) {
  // Its state ends with it: the next opening starts without the old error and name.
  return props.open ? <OpenConfirmDialog {...props} /> : null
}

function OpenConfirmDialog({
  onClose,
  title,
  effect,
  confirmName,
  confirmLabel,
  variant = 'danger',
  onConfirm,
}: ConfirmDialogProps) {
  const [typed, setTyped] = useState('')
  const [failure, setFailure] = useState<{ error: unknown }>()
  const [run, busy] = useSingleFlight(async () => {
    setFailure(undefined)
    try {
      await onConfirm()
      onClose()
    } catch (error) {
      setFailure({ error })
    }
  })
  const ready = nameTyped(confirmName, typed)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (ready) void run()
  }
  return (
    <Dialog open onClose={onClose} title={title} dismissable={!busy}>
      <form method="post" onSubmit={submit} className="flex flex-col gap-4">
        <div className="text-muted">{effect}</div>
        {confirmName ? <ConfirmName name={confirmName} typed={typed} onType={setTyped} /> : null}
        <DialogError>{failure ? <ErrorText error={failure.error} /> : null}</DialogError>
        <FormActions onCancel={onClose} busy={busy}>
          <Button type="submit" variant={variant} busy={busy} disabled={!ready}>
            {confirmLabel}
          </Button>
        </FormActions>
      </form>
    </Dialog>
  )
}
