'use client'

import { type FormEvent, useState } from 'react'
import { Button } from '@/components/ui/button'
import { ErrorText } from '@/components/ui/error-text'
import { Field, Input, PasswordInput } from '@/components/ui/field'
import { useSingleFlight } from '@/components/ui/single-flight'
import { authClient, fieldError } from './client'
import { localTimes, shareTimes } from './refresh'

/** Signs in; `onDone` hears who it was. Errors stay until the next try, and so does what was typed. */
export function SignInForm({ email, onDone }: { email?: string; onDone: (userId: string) => void }) {
  const [typed, setTyped] = useState(email ?? '')
  const [password, setPassword] = useState('')
  const [failure, setFailure] = useState<{ error: unknown }>()
  const [run, busy] = useSingleFlight(async () => {
    setFailure(undefined)
    try {
      const { session, now } = await authClient.auth.signIn.mutate({ email: typed, password })
      shareTimes(localTimes(session, now))
      onDone(session.userId)
    } catch (error) {
      setFailure({ error })
    }
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    void run()
  }
  const wrongEmail = failure && fieldError(failure.error, 'email')
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      <Field label="E-mail" error={wrongEmail} required>
        <Input
          type="email"
          name="email"
          autoComplete="username"
          spellCheck={false}
          autoCapitalize="off"
          readOnly={email !== undefined}
          data-autofocus={email === undefined ? '' : undefined}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
      </Field>
      <Field label="Password" required>
        <PasswordInput
          name="password"
          autoComplete="current-password"
          data-autofocus={email === undefined ? undefined : ''}
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
      </Field>
      <div role="alert" className="border-l-2 border-bad pl-3 empty:hidden">
        {failure && !wrongEmail ? <ErrorText error={failure.error} /> : null}
      </div>
      <Button type="submit" variant="primary" busy={busy} className="w-full">
        Sign in
      </Button>
    </form>
  )
}
