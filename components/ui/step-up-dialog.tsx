'use client'

import { type FormEvent, type ReactNode, useState } from 'react'
import { Button } from './button'
import { Dialog, DialogError } from './dialog'
import { ErrorText } from './error-text'
import { Field, PasswordInput } from './field'
import { useSingleFlight } from './single-flight'

export type StepUpDialogProps = {
  open: boolean
  onClose: () => void
  /** What goes on once the password is right: `Start the migration`. Also the button's label. */
  action: string
  /** What that does, in a sentence. */
  effect?: ReactNode
  /** The account's e-mail, for the reader and for password managers. */
  account: string
  /** Checks the password and continues what was asked. A rejection stays in the dialog; success closes it. */
  onSubmit: (password: string) => Promise<unknown>
}

/** Asks for the password again over the page, then goes on with what was asked. */
export function StepUpDialog(props: StepUpDialogProps) {
  return props.open ? <OpenStepUpDialog {...props} /> : null
}

function OpenStepUpDialog({ onClose, action, effect, account, onSubmit }: StepUpDialogProps) {
  const [password, setPassword] = useState('')
  const [failure, setFailure] = useState<{ error: unknown }>()
  const [run, busy] = useSingleFlight(async () => {
    setFailure(undefined)
    try {
      await onSubmit(password)
      onClose()
    } catch (error) {
      setFailure({ error })
    }
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (password !== '') void run()
  }
  return (
    <Dialog open onClose={onClose} title="Confirm that it is you" dismissable={!busy}>
      <form onSubmit={submit} className="flex flex-col gap-4">
        <div className="text-muted">
          {effect ? <p>{effect}</p> : null}
          <p>
            Signed in as <span className="text-text">{account}</span>.
          </p>
        </div>
        <input type="email" name="email" value={account} autoComplete="username" readOnly hidden />
        <Field label="Password" required>
          <PasswordInput
            data-autofocus=""
            name="password"
            autoComplete="current-password"
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        </Field>
        <DialogError>{failure ? <ErrorText error={failure.error} /> : null}</DialogError>
        <div className="flex flex-wrap justify-end gap-2 pt-2">
          <Button onClick={onClose} disabled={busy}>
            Cancel
          </Button>
          <Button type="submit" variant="primary" busy={busy} disabled={password === ''}>
            {action}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
