'use client'

import { type FormEvent, type ReactNode, useCallback, useEffect, useState } from 'react'
import { authClient, codeOf, fieldError } from '@/components/auth/client'
import { localTimes, shareTimes } from '@/components/auth/refresh'
import { Button } from '@/components/ui/button'
import { buttonClass } from '@/components/ui/button-class'
import { ErrorText } from '@/components/ui/error-text'
import { Field, Input, PasswordInput } from '@/components/ui/field'
import { Spinner } from '@/components/ui/icons'
import { useSingleFlight } from '@/components/ui/single-flight'

type LinkState =
  | { kind: 'checking' }
  | { kind: 'missing' | 'used' | 'unknown' }
  | { kind: 'failed'; error: unknown }
  | { kind: 'usable'; token: string; leastLength: number }

/** The token of the link, wherever it stands; out of the query at once, which would go into logs and Referer. */
function takeToken(): string | null {
  const query = new URLSearchParams(location.search).get('token')
  if (query) history.replaceState(null, '', `${location.pathname}#${query}`)
  return query ?? (location.hash.slice(1) || null)
}

export function SetUp() {
  const [link, setLink] = useState<LinkState>({ kind: 'checking' })

  const check = useCallback(async () => {
    const token = takeToken()
    if (!token) return setLink({ kind: 'missing' })
    setLink({ kind: 'checking' })
    try {
      const [{ passwordLength }, { link: state }] = await Promise.all([
        authClient.auth.setUpState.query(),
        authClient.auth.checkSetUpLink.mutate({ token }),
      ])
      setLink(
        state === 'usable' ? { kind: state, token, leastLength: passwordLength.least } : { kind: state },
      )
    } catch (error) {
      setLink({ kind: 'failed', error })
    }
  }, [])

  useEffect(() => {
    void check()
    addEventListener('hashchange', check)
    return () => removeEventListener('hashchange', check)
  }, [check])

  switch (link.kind) {
    case 'checking':
      return (
        <p role="status" className="flex items-center gap-2 text-muted">
          <Spinner />
          Checking the link…
        </p>
      )
    case 'failed':
      return (
        <Remark title="The link could not be checked" action={<Button onClick={check}>Try again</Button>}>
          <ErrorText error={link.error} />
        </Remark>
      )
    case 'missing':
      return (
        <Remark title="Open the set-up link" action={<SignInLink />}>
          Holdfast prints it when it starts, as long as there is no admin. Open it whole: the part behind # is
          the key.
        </Remark>
      )
    case 'used':
      return (
        <Remark title="This console is set up" action={<SignInLink />}>
          The link was used and there is an admin. Sign in, or ask an admin for an account.
        </Remark>
      )
    case 'unknown':
      return (
        <Remark title="This link does not work">
          It is older than a day, or was not copied whole. Restart Holdfast: it prints a new one.
        </Remark>
      )
    case 'usable':
      return (
        <SetUpForm
          token={link.token}
          leastLength={link.leastLength}
          onUsed={() => setLink({ kind: 'used' })}
        />
      )
  }
}

function SetUpForm({
  token,
  leastLength,
  onUsed,
}: {
  token: string
  leastLength: number
  onUsed: () => void
}) {
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
  const wrong = (field: string) => failure && fieldError(failure.error, field)
  const atFields = wrong('name') ?? wrong('email') ?? wrong('password')
  return (
    <>
      <h1 className="text-title font-medium">Set up this console</h1>
      <p className="mt-1 mb-6 text-muted">
        Make the first account. It is an admin: it may do everything here.
      </p>
      <form onSubmit={submit} className="flex flex-col gap-4">
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
        <Field
          label="Password"
          hint={`${leastLength} characters or more. A few words in a row make a good one.`}
          aside={`${[...values.password].length} of ${leastLength}`}
          error={wrong('password')}
          required
        >
          <PasswordInput
            name="password"
            autoComplete="new-password"
            minLength={leastLength}
            value={values.password}
            onChange={change('password')}
          />
        </Field>
        <div role="alert" className="border-l-2 border-bad pl-3 empty:hidden">
          {failure && !atFields ? <ErrorText error={failure.error} /> : null}
        </div>
        <Button type="submit" variant="primary" busy={busy} className="w-full">
          Make the admin account
        </Button>
      </form>
    </>
  )
}

function Remark({ title, children, action }: { title: string; children: ReactNode; action?: ReactNode }) {
  return (
    <>
      <h1 className="text-title font-medium">{title}</h1>
      <div className="mt-1 mb-6 text-muted">{children}</div>
      {action}
    </>
  )
}

function SignInLink() {
  return (
    <a href="/sign-in" className={buttonClass('primary')}>
      Go to sign-in
    </a>
  )
}
