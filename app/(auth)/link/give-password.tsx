'use client'

import { type FormEvent, useState } from 'react'
import { authClient, codeOf, fieldError } from '@/components/auth/client'
import { FormFailure } from '@/components/auth/form-failure'
import { NewPasswordField } from '@/components/auth/new-password-field'
import { useWait } from '@/components/auth/wait'
import { Button } from '@/components/ui/button'
import { Field, Input } from '@/components/ui/field'
import { useSingleFlight } from '@/components/ui/single-flight'
import type { RouterOutputs } from '@/server/routers/_app'

type UsableLink = Extract<RouterOutputs['auth']['checkLink'], { state: 'usable' }>

const words = {
  invite: {
    title: 'Welcome to Holdfast',
    lead: 'You were invited. Choose how you are called here and a password.',
    button: 'Make my account',
  },
  reset: {
    title: 'Give a new password',
    lead: 'An admin reset your password. The old one works no more.',
    button: 'Save and sign in',
  },
}

/** Name and password of an invitation, or the new password of a reset. */
export function GivePassword({
  token,
  link,
  least,
  onUsed,
  onAnswer,
}: {
  token: string
  link: UsableLink
  least: number
  onUsed: () => void
  onAnswer: (answer: RouterOutputs['auth']['useLink']) => void
}) {
  const [name, setName] = useState(link.name)
  const [password, setPassword] = useState('')
  const [failure, setFailure] = useState<{ error: unknown }>()
  const left = useWait(failure?.error)
  const invited = link.kind === 'invite'
  const { title, lead, button } = words[link.kind]
  const [run, busy] = useSingleFlight(async () => {
    setFailure(undefined)
    try {
      const input = { token, password, ...(invited ? { name } : {}) }
      onAnswer(await authClient.auth.useLink.mutate(input))
    } catch (error) {
      if (codeOf(error) === 'LINK_USED') onUsed()
      else setFailure({ error })
    }
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (left === 0) void run()
  }
  const wrongName = fieldError(failure?.error, 'name')
  const wrongPassword = fieldError(failure?.error, 'password')
  return (
    <>
      <h1 className="text-title font-medium">{title}</h1>
      <p className="mt-1 mb-6 text-muted">{lead}</p>
      <form method="post" onSubmit={submit} className="flex flex-col gap-4">
        <Field label="E-mail">
          <Input type="email" name="email" autoComplete="username" readOnly value={link.email} />
        </Field>
        {invited ? (
          <Field label="Name" error={wrongName} required>
            <Input
              name="name"
              autoComplete="name"
              maxLength={100}
              value={name}
              onChange={({ target }) => setName(target.value)}
            />
          </Field>
        ) : null}
        <NewPasswordField
          label={invited ? 'Password' : 'New password'}
          least={least}
          value={password}
          onChange={({ target }) => setPassword(target.value)}
          error={wrongPassword}
        />
        <FormFailure failure={wrongName || wrongPassword ? undefined : failure} left={left} />
        <Button type="submit" variant="primary" busy={busy} disabled={left > 0} className="w-full">
          {button}
        </Button>
      </form>
    </>
  )
}
