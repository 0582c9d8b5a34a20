'use client'

import { type FormEvent, useState } from 'react'
import { Button } from '@/components/ui/button'
import { Field, Input, PasswordInput } from '@/components/ui/field'
import { useSingleFlight } from '@/components/ui/single-flight'
import type { RouterOutputs } from '@/server/routers/_app'
import { authClient, fieldError } from './client'
import { FormFailure } from './form-failure'
import { provePasskey, useCeremony, usePasskeySupport } from './passkey'
import { useWait } from './wait'

export interface PasswordStepProps {
  email: string
  onEmail: (email: string) => void
  /** Whose session goes on is settled: the address can't be changed. */
  fixed: boolean
  /** The password is on its way. */
  onSend: () => void
  onAnswer: (answer: RouterOutputs['auth']['signIn']) => void
  onSignedIn: (answer: RouterOutputs['auth']['passkeySignIn']) => void
}

/** The first step of a sign-in: e-mail and password, or a passkey alone. */
export function PasswordStep({ email, onEmail, fixed, onSend, onAnswer, onSignedIn }: PasswordStepProps) {
  const [password, setPassword] = useState('')
  const [failure, setFailure] = useState<{ error: unknown }>()
  const left = useWait(failure?.error)
  const supported = usePasskeySupport()
  const [run, busy] = useSingleFlight(async () => {
    setFailure(undefined)
    onSend()
    try {
      onAnswer(await authClient.auth.signIn.mutate({ email, password }))
    } catch (error) {
      setFailure({ error })
    }
  })
  const ceremony = useCeremony()
  const [runPasskey, busyPasskey] = useSingleFlight(async () => {
    setFailure(undefined)
    try {
      const { options } = await authClient.auth.passkeyOptions.mutate({})
      const passkey = await ceremony(() => provePasskey(options))
      if (passkey) onSignedIn(await authClient.auth.passkeySignIn.mutate({ passkey }))
    } catch (error) {
      setFailure({ error })
    }
  })

  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (left === 0 && !busyPasskey) void run()
  }
  const wrongEmail = failure && fieldError(failure.error, 'email')
  return (
    <form method="post" onSubmit={submit} className="flex flex-col gap-4">
      <Field label="E-mail" error={wrongEmail} required>
        <Input
          type="email"
          name="email"
          autoComplete="username"
          spellCheck={false}
          autoCapitalize="off"
          readOnly={fixed}
          data-autofocus={fixed ? undefined : ''}
          value={email}
          onChange={(event) => onEmail(event.target.value)}
        />
      </Field>
      <Field label="Password" required>
        <PasswordInput
          name="password"
          autoComplete="current-password"
          data-autofocus={fixed ? '' : undefined}
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
      </Field>
      <FormFailure failure={wrongEmail ? undefined : failure} left={left} />
      <Button type="submit" variant="primary" busy={busy} disabled={left > 0} className="w-full">
        Sign in
      </Button>
      {supported ? (
        <Button onClick={runPasskey} busy={busyPasskey} disabled={busy || left > 0} className="w-full">
          Sign in with a passkey
        </Button>
      ) : null}
    </form>
  )
}
