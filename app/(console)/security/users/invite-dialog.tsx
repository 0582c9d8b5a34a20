'use client'

import { useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { codeOf, fieldError } from '@/components/auth/client'
import { useStepUp } from '@/components/auth/step-up'
import type { MadeLink } from '@/components/security/shown-once'
import { type Role, roleWords } from '@/components/security/words'
import { useTRPC, useTRPCClient } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { Dialog, DialogError } from '@/components/ui/dialog'
import { ErrorText } from '@/components/ui/error-text'
import { Field, Input, RadioGroup } from '@/components/ui/field'
import { FormActions } from '@/components/ui/form-actions'
import { roleOptions } from './role-form'

const fields = ['email', 'name', 'role'] as const

/** Asks whom to invite, steps up, and hands the link to `onMade`. What was typed stays until then. */
export function InviteDialog({ onClose, onMade }: { onClose: () => void; onMade: (made: MadeLink) => void }) {
  const trpc = useTRPC()
  const { security } = useTRPCClient()
  const queries = useQueryClient()
  const { data: users } = useQuery(trpc.security.users.queryOptions())
  const { ask, dialog } = useStepUp()
  const [email, setEmail] = useState('')
  const [name, setName] = useState('')
  const [role, setRole] = useState<Role>('viewer')
  const [failure, setFailure] = useState<{ error: unknown }>()
  const [taken, setTaken] = useState(false)

  const submit = (event: FormEvent) => {
    event.preventDefault()
    setFailure(undefined)
    const input = { email: email.trim(), name: name.trim(), role }
    // Found before the step-up: a code works once, and the next one takes its time.
    const known = users?.some((user) => user.email.toLowerCase() === input.email.toLowerCase()) ?? false
    setTaken(known)
    if (known) return
    ask({
      action: 'security.inviteUser',
      input,
      label: 'Invite',
      title: 'Confirm the invitation',
      effect: `${input.email} gets an account as ${roleWords[role].name.toLowerCase()}, by a link that works once.`,
      run: async (grantId) => {
        try {
          const made = await security.inviteUser.mutate(input, { context: { stepUp: grantId } })
          onMade({ kind: 'invite', email: input.email, link: made.link, expiresAt: made.expiresAt })
        } catch (error) {
          if (!['BAD_INPUT', 'CONFLICT'].includes(codeOf(error) ?? '')) throw error
          setFailure({ error })
        }
        await queries.invalidateQueries(trpc.security.users.pathFilter())
      },
    })
  }
  const wrong = (field: (typeof fields)[number]) => failure && fieldError(failure.error, field)
  const atFields = fields.some(wrong)
  return (
    <>
      <Dialog open onClose={onClose} title="Invite a user">
        <form method="post" onSubmit={submit} className="flex flex-col gap-4">
          <Field
            label="E-mail"
            hint="Nothing is sent: you hand the link over."
            error={taken ? 'A user or invitation has this address.' : wrong('email')}
            required
          >
            <Input
              type="email"
              data-autofocus=""
              autoComplete="off"
              spellCheck={false}
              autoCapitalize="off"
              maxLength={254}
              value={email}
              onChange={({ target }) => {
                setEmail(target.value)
                setTaken(false)
              }}
            />
          </Field>
          <Field label="Name" error={wrong('name')} required>
            <Input
              autoComplete="off"
              maxLength={100}
              value={name}
              onChange={({ target }) => setName(target.value)}
            />
          </Field>
          <RadioGroup
            legend="Role"
            name="invite-role"
            value={role}
            onChange={setRole}
            options={roleOptions}
          />
          <DialogError>{failure && !atFields ? <ErrorText error={failure.error} /> : null}</DialogError>
          <FormActions onCancel={onClose}>
            <Button type="submit" variant="primary">
              Make the invitation
            </Button>
          </FormActions>
        </form>
      </Dialog>
      {dialog}
    </>
  )
}
