'use client'

import { type FormEvent, useState } from 'react'
import { Button } from '@/components/ui/button'
import { Dialog, DialogError } from '@/components/ui/dialog'
import { ErrorText } from '@/components/ui/error-text'
import { Field, Input } from '@/components/ui/field'
import { FormActions } from '@/components/ui/form-actions'
import { useSingleFlight } from '@/components/ui/single-flight'
import { fieldError } from './client'

export interface NameDialogProps {
  open: boolean
  onClose: () => void
  title: string
  /** The name as it is now. */
  name: string
  autoComplete?: string
  /** Gives the new one. A rejection stays in the dialog; success closes it. */
  onName: (name: string) => Promise<unknown>
}

/** Asks for another name. */
export function NameDialog(props: NameDialogProps) {
  return props.open ? <OpenNameDialog {...props} /> : null
}

function OpenNameDialog({ onClose, title, name, autoComplete = 'off', onName }: NameDialogProps) {
  const [typed, setTyped] = useState(name)
  const [failure, setFailure] = useState<{ error: unknown }>()
  const [run, busy] = useSingleFlight(async () => {
    setFailure(undefined)
    try {
      await onName(typed)
      onClose()
    } catch (error) {
      setFailure({ error })
    }
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    void run()
  }
  const wrong = failure && fieldError(failure.error, 'name')
  return (
    <Dialog open onClose={onClose} title={title} dismissable={!busy}>
      <form method="post" onSubmit={submit} className="flex flex-col gap-4">
        <Field label="Name" error={wrong} required>
          <Input
            data-autofocus=""
            name="name"
            autoComplete={autoComplete}
            maxLength={100}
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
          />
        </Field>
        <DialogError>{failure && !wrong ? <ErrorText error={failure.error} /> : null}</DialogError>
        <FormActions onCancel={onClose} busy={busy}>
          <Button type="submit" variant="primary" busy={busy} disabled={typed.trim() === ''}>
            Save
          </Button>
        </FormActions>
      </form>
    </Dialog>
  )
}
