'use client'

import { type FormEvent, useState } from 'react'
import { authClient, codeOf, fieldError } from '@/components/auth/client'
import { FormFailure } from '@/components/auth/form-failure'
import { NewPasswordField } from '@/components/auth/new-password-field'
import { localTimes, shareTimes } from '@/components/auth/refresh'
import { Button } from '@/components/ui/button'
import { Field, Input } from '@/components/ui/field'
import { useSingleFlight } from '@/components/ui/single-flight'
import { CheckFailed, Checking, Remark, SignInLink, useLinkToken } from '../_parts/link-token'

async function check(token: string) {
  const [{ passwordLength }, { link }] = await Promise.all([
    authClient.auth.setUpState.query(),
    authClient.auth.checkSetUpLink.mutate({ token }),
  ])
  return { state: link, least: passwordLength.least }
}

export function SetUp() {
  const { link, recheck } = useLinkToken(check)
  const [used, setUsed] = useState(false)
  if (link.kind === 'checking') return <Checking />
  if (link.kind === 'failed') return <CheckFailed error={link.error} onRetry={recheck} />
  if (link.kind === 'missing') {
    return (
      <Remark title="Open the set-up link" action={<SignInLink />}>
        Holdfast prints it when it starts, as long as there is no admin. Open it whole: the part behind # is
        the key.
      </Remark>
    )
  }
  if (used || link.facts.state === 'used') {
    return (
      <Remark title="This console is set up" action={<SignInLink />}>
        The link was used and there is an admin. Sign in, or ask an admin for an account.
      </Remark>
    )
  }
  if (link.facts.state === 'unknown') {
    return (
      <Remark title="This link does not work">
        It is older than a day, or was not copied whole. Restart Holdfast: it prints a new one.
      </Remark>
    )
  }
  return <SetUpForm token={link.token} least={link.facts.least} onUsed={() => setUsed(true)} />
}

function SetUpForm({ token, least, onUsed }: { token: string; least: number; onUsed: () => void }) {
  const [values, setValues] = useState({ name: '', email: '', password: '' })
  const [failure, setFailure] = useState<{ error: unknown }>()
  const change = (field: keyof typeof values) => (event: { target: { value: string } }) =>
    setValues((before) => ({ ...before, [field]: event.target.value }))
  const [run, busy] = useSingleFlight(async () => {
    setFailure(undefined)
    try {
      const { session, now } = await authClient.auth.setUp.mutate({ token, ...values })
      shareTimes(localTimes(session, now))
      location.replace('/')
    } catch (error) {
      if (['LINK_USED', 'ALREADY_SET_UP'].includes(codeOf(error) ?? '')) onUsed()
      else setFailure({ error })
    }
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    void run()
  }
  const wrong = (field: string) => fieldError(failure?.error, field)
  const atFields = wrong('name') ?? wrong('email') ?? wrong('password')
  return (
    <>
      <h1 className="text-title font-medium">Set up this console</h1>
      <p className="mt-1 mb-6 text-muted">
        Make the first account. It is an admin: it may do everything here.
      </p>
      <form method="post" onSubmit={submit} className="flex flex-col gap-4">
        <Field label="Name" error={wrong('name')} required>
          <Input
            name="name"
            autoComplete="name"
            maxLength={100}
            value={values.name}
            onChange={change('name')}
          />
        </Field>
        <Field label="E-mail" error={wrong('email')} required>
          <Input
            type="email"
            name="email"
            autoComplete="username"
            spellCheck={false}
            autoCapitalize="off"
            value={values.email}
            onChange={change('email')}
          />
        </Field>
        <NewPasswordField
          least={least}
          value={values.password}
          onChange={change('password')}
          error={wrong('password')}
        />
        <FormFailure failure={atFields ? undefined : failure} />
        <Button type="submit" variant="primary" busy={busy} className="w-full">
          Make the admin account
        </Button>
      </form>
    </>
  )
}
