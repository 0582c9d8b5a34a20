'use client'

import { useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { useStepUp } from '@/components/auth/step-up'
import { type Role, roleOrder, roleWords, type User } from '@/components/security/words'
import { useTRPC, useTRPCClient } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { ErrorTile } from '@/components/ui/error-tile'
import { Checkbox } from '@/components/ui/field'
import { formatCount } from '@/components/ui/format'
import { Skeleton } from '@/components/ui/skeleton'
import { Section } from '@/components/ui/text'
import { useToast } from '@/components/ui/toast'

/** Which roles must have a second factor. */
export function PolicySection({ manage }: { manage: boolean }) {
  const trpc = useTRPC()
  const policy = useQuery(trpc.security.factorPolicy.queryOptions())
  const { data: users } = useQuery(trpc.security.users.queryOptions())
  return (
    <Section title="Second factor" note="Which roles must have one.">
      {policy.data ? (
        <PolicyForm
          key={policy.data.requiredRoles.join()}
          saved={policy.data.requiredRoles}
          users={users ?? []}
          manage={manage}
        />
      ) : policy.isPending ? (
        <Skeleton className="h-40 w-full" label="Reading the rule" />
      ) : (
        <ErrorTile error={policy.error} what="Second factor" onRetry={() => policy.refetch()} />
      )}
    </Section>
  )
}

function PolicyForm({
  saved,
  users,
  manage,
}: {
  saved: readonly Role[]
  users: readonly User[]
  manage: boolean
}) {
  const trpc = useTRPC()
  const { security } = useTRPCClient()
  const queries = useQueryClient()
  const toast = useToast()
  const { ask, dialog } = useStepUp()
  const [required, setRequired] = useState<readonly Role[]>(saved)
  const changed = roleOrder.some((role) => required.includes(role) !== saved.includes(role))
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const input = { requiredRoles: roleOrder.filter((role) => required.includes(role)) }
    ask({
      action: 'security.setFactorPolicy',
      input,
      label: 'Save the rule',
      title: 'Second factor by role',
      effect: effectOf(input.requiredRoles, users),
      run: async (grantId) => {
        await security.setFactorPolicy.mutate(input, { context: { stepUp: grantId } })
        toast({ text: 'The rule for second factors is saved.', tone: 'ok' })
        await queries.invalidateQueries(trpc.security.factorPolicy.pathFilter())
      },
    })
  }
  return (
    <>
      <form method="post" onSubmit={submit} className="flex flex-col items-start gap-3">
        <p className="max-w-prose text-muted">
          Whose role is marked and who has no factor can do one thing only: enrol one. Without a mark a factor
          is each user’s own choice.
        </p>
        <fieldset className="flex flex-col" disabled={!manage}>
          <legend className="sr-only">Roles that must have a second factor</legend>
          {roleOrder.map((role) => (
            <Checkbox
              key={role}
              label={roleWords[role].name}
              hint={standing(role, users)}
              checked={required.includes(role)}
              onChange={({ target }) =>
                setRequired(target.checked ? [...required, role] : required.filter((each) => each !== role))
              }
            />
          ))}
        </fieldset>
        {manage ? (
          <Button type="submit" disabled={!changed} title={changed ? undefined : 'Nothing is changed'}>
            Save the rule
          </Button>
        ) : (
          <p className="text-muted">Only an admin can change this.</p>
        )}
      </form>
      {dialog}
    </>
  )
}

const without = (role: Role, users: readonly User[]) =>
  users.filter((user) => user.role === role && user.state === 'active' && user.factors.length === 0).length

function standing(role: Role, users: readonly User[]): string {
  const active = users.filter((user) => user.role === role && user.state === 'active').length
  return active === 0
    ? 'No active user has this role.'
    : `Active: ${active}. Without a factor: ${without(role, users)}.`
}

function effectOf(required: readonly Role[], users: readonly User[]): string {
  const stopped = required.reduce((sum, role) => sum + without(role, users), 0)
  if (required.length === 0) return 'No role must have a second factor: a password alone will do.'
  const names = required.map((role) => roleWords[role].name.toLowerCase()).join(', ')
  return `Must have a second factor: ${names}. ${
    stopped === 0
      ? 'No active user of them is without one.'
      : `${formatCount(stopped, 'user')} without one must enrol before going on, at once.`
  }`
}
