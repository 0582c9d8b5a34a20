'use client'

import { type FormEvent, useState } from 'react'
import { useTRPCClient } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { Field, PasswordInput } from '@/components/ui/field'
import { useSingleFlight } from '@/components/ui/single-flight'
import { codeOf, fieldError, saysOf } from './client'
import { FormFailure } from './form-failure'
import { NewPasswordField } from './new-password-field'
import { useSession } from './session'
import { useWait } from './wait'

/** Gives oneself a new password. `onChanged` hears how many other sessions ended for it. */
export function PasswordForm({
  least,
  onChanged,
}: {
  /** Characters that a password has at least. */
  least: number
  onChanged: (ended: number) => unknown
}) {
  const client = useTRPCClient()
  const { session } = useSession()
  const [values, setValues] = useState({ current: '', password: '' })
  const [failure, setFailure] = useState<{ error: unknown }>()
  const left = useWait(failure?.error)
  const [run, busy] = useSingleFlight(async () => {
    setFailure(undefined)
    try {
      const { ended } = await client.account.changePassword.mutate(values)
      setValues({ current: '', password: '' })
      await onChanged(ended)
    } catch (error) {
      setFailure({ error })
    }
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (left === 0) void run()
  }
  const change = (field: keyof typeof values) => (event: { target: { value: string } }) =>
    setValues((before) => ({ ...before, [field]: event.target.value }))
  const error = failure?.error
  const wrongCurrent = codeOf(error) === 'WRONG_CREDENTIALS' ? saysOf(error) : fieldError(error, 'current')
  const wrongNew = fieldError(error, 'password')
  return (
    <form method="post" onSubmit={submit} className="flex max-w-[28rem] flex-col gap-4">
      <input type="email" name="email" value={session.email} autoComplete="username" readOnly hidden />
      <Field label="Current password" error={wrongCurrent} required>
        <PasswordInput
          name="current"
          autoComplete="current-password"
          value={values.current}
          onChange={change('current')}
        />
      </Field>
      <NewPasswordField
        label="New password"
        least={least}
        value={values.password}
        onChange={change('password')}
        error={wrongNew}
      />
      <FormFailure failure={wrongCurrent || wrongNew ? undefined : failure} left={left} />
      <div>
        <Button
          type="submit"
          variant="primary"
          busy={busy}
          disabled={left > 0 || values.current === '' || values.password === ''}
        >
          Change password
        </Button>
      </div>
    </form>
  )
}
