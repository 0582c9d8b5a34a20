'use client'

import { type FormEvent, useEffect, useRef, useState } from 'react'
import { codeOf, saysOf } from '@/components/auth/client'
import { FormFailure } from '@/components/auth/form-failure'
import { useWait } from '@/components/auth/wait'
import { Button } from '@/components/ui/button'
import { Field, PasswordInput } from '@/components/ui/field'
import { FormActions } from '@/components/ui/form-actions'
import { Spinner } from '@/components/ui/icons'
import { useSingleFlight } from '@/components/ui/single-flight'

export interface BeginStepProps {
  /** The account's e-mail address, for password managers. */
  email: string
  /** The sign-in is too long ago to be trusted with a new factor. */
  askPassword: boolean
  /** What went wrong with a begin that needed no password. */
  failure?: { error: unknown }
  onBegin: (password?: string) => Promise<unknown>
  onCancel: () => void
}

/** Before an enrolment: the password where the server wants it, else a moment of waiting. */
export function BeginStep({ email, askPassword, failure: before, onBegin, onCancel }: BeginStepProps) {
  const [password, setPassword] = useState('')
  const [own, setOwn] = useState<{ error: unknown }>()
  const failure = own ?? (askPassword ? undefined : before)
  const left = useWait(failure?.error)
  const input = useRef<HTMLInputElement>(null)
  const [run, busy] = useSingleFlight(async () => {
    setOwn(undefined)
    try {
      await onBegin(askPassword ? password : undefined)
    } catch (error) {
      setOwn({ error })
      input.current?.select()
    }
  })
  useEffect(() => {
    if (askPassword) input.current?.focus()
  }, [askPassword])
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (left === 0) void run()
  }
  if (!askPassword && !failure) {
    return (
      <p role="status" className="flex items-center gap-2 text-muted">
        <Spinner />
        Preparing…
      </p>
    )
  }
  const wrong = failure && codeOf(failure.error) === 'WRONG_CREDENTIALS' ? saysOf(failure.error) : undefined
  return (
    <form method="post" onSubmit={submit} className="flex flex-col gap-4">
      {askPassword ? (
        <>
          <p className="text-muted">You signed in a while ago. Enter your password to go on.</p>
          <input type="email" name="email" value={email} autoComplete="username" readOnly hidden />
          <Field label="Your password" error={wrong} required>
            <PasswordInput
              ref={input}
              name="password"
              autoComplete="current-password"
              value={password}
              onChange={(event) => setPassword(event.target.value)}
            />
          </Field>
        </>
      ) : null}
      <FormFailure failure={wrong && askPassword ? undefined : failure} left={left} />
      <FormActions onCancel={onCancel} busy={busy}>
        <Button
          type="submit"
          variant="primary"
          busy={busy}
          disabled={left > 0 || (askPassword && password === '')}
        >
          {askPassword ? 'Go on' : 'Try again'}
        </Button>
      </FormActions>
    </form>
  )
}
