'use client'

import { type FormEvent, useState } from 'react'
import { useStepUp } from '@/components/auth/step-up'
import { useTRPCClient } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { Dialog } from '@/components/ui/dialog'
import { Field, Input, Select } from '@/components/ui/field'
import { FormActions } from '@/components/ui/form-actions'
import { useToast } from '@/components/ui/toast'
import { useRefresh } from './use-refresh'

const dayMs = 86_400_000
const ends = [
  ['1', 'In a day'],
  ['30', 'In 30 days'],
  ['365', 'In a year'],
  ['', 'Never'],
] as const

/** Asks for a network and who answers for it, then steps up over it. */
export function TrustDialog({ onClose }: { onClose: () => void }) {
  const { security } = useTRPCClient()
  const toast = useToast()
  const refresh = useRefresh()
  const { ask, dialog } = useStepUp()
  const [network, setNetwork] = useState('')
  const [owner, setOwner] = useState('')
  const [reason, setReason] = useState('')
  const [days, setDays] = useState<string>('30')
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const expiresAt = days === '' ? null : Date.now() + Number(days) * dayMs
    const input = { network: network.trim(), owner: owner.trim(), reason: reason.trim(), expiresAt }
    ask({
      action: 'security.trusted.add',
      input,
      label: 'Trust it',
      title: 'Trust a network',
      effect: `Nothing from ${input.network} is stopped by a limit or a block of addresses any more. Limits of users and of accounts stay.`,
      run: async (grantId) => {
        await security.trusted.add.mutate(input, { context: { stepUp: grantId } })
        toast({ text: `${input.network} is a trusted source.`, tone: 'ok' })
        onClose()
        await refresh()
      },
    })
  }
  return (
    <>
      <Dialog open onClose={onClose} title="Add a trusted source">
        <form method="post" onSubmit={submit} className="flex flex-col gap-4">
          <Field label="Address or network" hint="Such as 198.51.100.0/24." required>
            <Input
              data-autofocus=""
              autoComplete="off"
              spellCheck={false}
              maxLength={50}
              className="font-mono"
              value={network}
              onChange={({ target }) => setNetwork(target.value)}
            />
          </Field>
          <Field label="Owner" hint="Who answers for what comes from there." required>
            <Input
              autoComplete="off"
              maxLength={100}
              value={owner}
              onChange={({ target }) => setOwner(target.value)}
            />
          </Field>
          <Field label="Reason" required>
            <Input
              autoComplete="off"
              maxLength={200}
              value={reason}
              onChange={({ target }) => setReason(target.value)}
            />
          </Field>
          <Field label="Ends">
            <Select value={days} onChange={({ target }) => setDays(target.value)}>
              {ends.map(([value, label]) => (
                <option key={value} value={value}>
                  {label}
                </option>
              ))}
            </Select>
          </Field>
          <FormActions onCancel={onClose}>
            <Button type="submit" variant="primary">
              Go on
            </Button>
          </FormActions>
        </form>
      </Dialog>
      {dialog}
    </>
  )
}
