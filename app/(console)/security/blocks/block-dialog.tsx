'use client'

import { type FormEvent, useState } from 'react'
import { codeOf, fieldError } from '@/components/auth/client'
import { useTRPCClient } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { Dialog, DialogError } from '@/components/ui/dialog'
import { ErrorText } from '@/components/ui/error-text'
import { Checkbox, Field, Input, Select } from '@/components/ui/field'
import { FormActions } from '@/components/ui/form-actions'
import { useSingleFlight } from '@/components/ui/single-flight'
import { useToast } from '@/components/ui/toast'
import { useRefresh } from './use-refresh'

const durations = [
  ['900000', '15 minutes'],
  ['3600000', '1 hour'],
  ['86400000', '1 day'],
  ['604800000', '7 days'],
  ['', 'Until somebody lifts it'],
] as const

/** Asks for a network, a reason and a time. One's own address takes a second answer. */
export function BlockDialog({ onClose }: { onClose: () => void }) {
  const { security } = useTRPCClient()
  const toast = useToast()
  const refresh = useRefresh()
  const [network, setNetwork] = useState('')
  const [reason, setReason] = useState('')
  const [duration, setDuration] = useState<string>('86400000')
  const [confirmOwn, setConfirmOwn] = useState(false)
  const [failure, setFailure] = useState<{ error: unknown }>()
  const own = failure !== undefined && codeOf(failure.error) === 'OWN_ADDRESS'
  const [run, busy] = useSingleFlight(async () => {
    try {
      const durationMs = duration === '' ? null : Number(duration)
      await security.blocks.add.mutate({
        network,
        reason,
        durationMs,
        ...(own && confirmOwn ? { confirmOwn } : {}),
      })
      toast({ text: `${network} is blocked.`, tone: 'ok' })
      onClose()
    } catch (error) {
      setFailure({ error })
      setConfirmOwn(false)
    }
    await refresh()
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    void run()
  }
  const wrong = (field: string) => failure && fieldError(failure.error, field)
  return (
    <Dialog open onClose={onClose} title="Block a network" dismissable={!busy}>
      <form method="post" onSubmit={submit} className="flex flex-col gap-4">
        <Field
          label="Address or network"
          hint="Such as 203.0.113.9, 203.0.113.0/24 or 2001:db8::/48."
          error={wrong('network')}
          required
        >
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
        <Field label="Reason" error={wrong('reason')} required>
          <Input
            autoComplete="off"
            maxLength={200}
            value={reason}
            onChange={({ target }) => setReason(target.value)}
          />
        </Field>
        <Field label="For">
          <Select value={duration} onChange={({ target }) => setDuration(target.value)}>
            {durations.map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </Select>
        </Field>
        <DialogError>
          {failure && !wrong('network') && !wrong('reason') ? <ErrorText error={failure.error} /> : null}
        </DialogError>
        {own ? (
          <Checkbox
            label="Block my own address, too"
            hint="You are locked out at once. Only another admin, or npm run admin -- unblock on the server, lets you in again."
            checked={confirmOwn}
            onChange={({ target }) => setConfirmOwn(target.checked)}
          />
        ) : null}
        <FormActions onCancel={onClose} busy={busy}>
          <Button type="submit" variant="danger" busy={busy}>
            Block
          </Button>
        </FormActions>
      </form>
    </Dialog>
  )
}
