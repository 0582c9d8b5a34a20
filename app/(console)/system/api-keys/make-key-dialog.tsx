'use client'

import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { codeOf, fieldError } from '@/components/auth/client'
import { useStepUp } from '@/components/auth/step-up'
import type { Permission } from '@/components/security/words'
import { useTRPC, useTRPCClient } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { Dialog, DialogError } from '@/components/ui/dialog'
import { ErrorText } from '@/components/ui/error-text'
import { Field, Input, Select } from '@/components/ui/field'
import { FormActions } from '@/components/ui/form-actions'
import { formatCount } from '@/components/ui/format'
import { useNow } from '@/components/ui/now'
import { Time } from '@/components/ui/time'
import { PermissionBoxes } from './permission-boxes'
import { actions } from './words'

export interface MadeKey {
  name: string
  key: string
  expiresAt: number
}

const fields = ['name', 'days', 'permissions', 'action'] as const

/** Asks for a name, permissions and an end, steps up, and hands the key to `onMade`. */
export function MakeKeyDialog({
  held,
  onClose,
  onMade,
}: {
  /** The maker's permissions: a key gets none beyond. */
  held: readonly Permission[]
  onClose: () => void
  onMade: (key: MadeKey) => void
}) {
  const trpc = useTRPC()
  const { security } = useTRPCClient()
  const queries = useQueryClient()
  const { ask, dialog } = useStepUp()
  const now = useNow()
  const [name, setName] = useState('')
  const [days, setDays] = useState('90')
  const [permissions, setPermissions] = useState<readonly Permission[]>([])
  const [actionName, setActionName] = useState('')
  const [failure, setFailure] = useState<{ error: unknown }>()
  const [none, setNone] = useState(false)
  const action = actions.find((each) => each.name === actionName)
  const life = Number(days)

  const submit = (event: FormEvent) => {
    event.preventDefault()
    setFailure(undefined)
    setNone(permissions.length === 0)
    if (permissions.length === 0) return
    const input = { name: name.trim(), permissions: [...permissions], days: life, action: action?.name }
    ask({
      action: 'security.createApiKey',
      input,
      label: 'Make the key',
      title: 'Confirm the new key',
      effect: `The key ${input.name} may use ${formatCount(permissions.length, 'permission')} in your name for ${formatCount(life, 'day')}.${action ? ` It needs no second factor to ${lowerFirst(action.label)}.` : ''}`,
      run: async (grantId) => {
        try {
          const { key, expiresAt } = await security.createApiKey.mutate(input, {
            context: { stepUp: grantId },
          })
          onMade({ name: input.name, key, expiresAt })
        } catch (error) {
          if (codeOf(error) !== 'BAD_INPUT') throw error
          setFailure({ error })
        }
        await queries.invalidateQueries(trpc.security.apiKeys.pathFilter())
      },
    })
  }
  const choose = (next: readonly Permission[]) => {
    setPermissions(next)
    setNone(false)
  }
  const chooseAction = (chosen: string) => {
    setActionName(chosen)
    const needs = actions.find((each) => each.name === chosen)?.needs
    if (needs && !permissions.includes(needs)) choose([...permissions, needs])
  }
  const wrong = (field: (typeof fields)[number]) => failure && fieldError(failure.error, field)
  const atFields = fields.some(wrong)
  return (
    <>
      <Dialog open onClose={onClose} title="Make an API key" wide>
        <form method="post" onSubmit={submit} className="flex flex-col gap-4">
          <div className="grid gap-4 sm:grid-cols-[2fr_1fr]">
            <Field label="Name" hint="The program that gets it." error={wrong('name')} required>
              <Input
                data-autofocus=""
                autoComplete="off"
                maxLength={100}
                value={name}
                onChange={({ target }) => setName(target.value)}
              />
            </Field>
            <Field
              label="Days"
              hint={
                life >= 1 && life <= 365 ? (
                  <>
                    Ends on <Time at={now + life * 86_400_000} only="date" />.
                  </>
                ) : (
                  '1 to 365.'
                )
              }
              error={wrong('days')}
              required
            >
              <Input
                type="number"
                inputMode="numeric"
                min={1}
                max={365}
                step={1}
                value={days}
                onChange={({ target }) => setDays(target.value)}
              />
            </Field>
          </div>
          <PermissionBoxes
            held={held}
            chosen={permissions}
            needed={action?.needs}
            onChange={choose}
            error={none ? 'Choose at least one permission.' : wrong('permissions')}
          />
          <Field
            label="May do without a second factor"
            hint="A program has no second factor. It can be trusted with one action that takes it."
            error={wrong('action')}
          >
            <Select value={actionName} onChange={({ target }) => chooseAction(target.value)}>
              <option value="">Nothing</option>
              {actions
                .filter(({ needs }) => held.includes(needs))
                .map((each) => (
                  <option key={each.name} value={each.name}>
                    {each.label} ({each.name})
                  </option>
                ))}
            </Select>
          </Field>
          <DialogError>{failure && !atFields ? <ErrorText error={failure.error} /> : null}</DialogError>
          <FormActions onCancel={onClose}>
            <Button type="submit" variant="primary">
              Make the key
            </Button>
          </FormActions>
        </form>
      </Dialog>
      {dialog}
    </>
  )
}

const lowerFirst = (text: string) => `${text[0]?.toLowerCase()}${text.slice(1)}`
