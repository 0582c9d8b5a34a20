'use client'

import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import type { Channel } from '@/components/alerts/words'
import { codeOf, fieldError } from '@/components/auth/client'
import { useStepUp } from '@/components/auth/step-up'
import { severityOrder, severityWords } from '@/components/security/severity-words'
import { useTRPC, useTRPCClient } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { Dialog, DialogError } from '@/components/ui/dialog'
import { ErrorText } from '@/components/ui/error-text'
import { Checkbox, Field, Input, RadioGroup, Select } from '@/components/ui/field'
import { FormActions } from '@/components/ui/form-actions'
import { type Draft, draftOf, inputOf } from './channel-draft'
import { MailFields, WebhookFields } from './channel-fields'
import type { MadeSecret } from './secret-once'

/** Adds a channel, or changes one. Secrets are never shown again: left empty, they stay. */
export function ChannelDialog({
  channel,
  onClose,
  onDone,
}: {
  channel: Channel | undefined
  onClose: () => void
  /** With the signing secret of a webhook that was just added. */
  onDone: (made: MadeSecret | undefined) => void
}) {
  const trpc = useTRPC()
  const { security } = useTRPCClient()
  const queries = useQueryClient()
  const { ask, dialog } = useStepUp()
  const [draft, setDraft] = useState<Draft>(() => draftOf(channel))
  const [failure, setFailure] = useState<{ error: unknown }>()
  const set = (change: Partial<Draft>) => setDraft((before) => ({ ...before, ...change }))

  const run = async (grantId: string) => {
    const context = { stepUp: grantId }
    const input = inputOf(draft, channel)
    try {
      if (channel) {
        await security.alerts.changeChannel.mutate({ id: channel.id, ...input }, { context })
        onDone(undefined)
      } else {
        const { secret } = await security.alerts.addChannel.mutate(input, { context })
        onDone(secret === null ? undefined : { channel: input.name, secret, previousUntil: null })
      }
    } catch (error) {
      if (!['BAD_INPUT', 'CONFLICT'].includes(codeOf(error) ?? '')) throw error
      setFailure({ error })
    }
    await queries.invalidateQueries(trpc.security.alerts.pathFilter())
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setFailure(undefined)
    const input = inputOf(draft, channel)
    ask({
      action: channel ? 'security.alerts.changeChannel' : 'security.alerts.addChannel',
      input: channel ? { id: channel.id, ...input } : input,
      label: channel ? 'Change the channel' : 'Add the channel',
      title: channel ? 'Confirm the change' : 'Confirm the new channel',
      effect:
        draft.kind === 'webhook'
          ? `Alerts are sent to the receiver of ${input.name}, with what happened and who did it.`
          : `Alerts are mailed to ${draft.to.trim()}, with what happened and who did it.`,
      run,
    })
  }
  const wrong = (field: string) => failure && fieldError(failure.error, field)
  return (
    <>
      <Dialog open onClose={onClose} title={channel ? `Change ${channel.name}` : 'Add a channel'} wide>
        <form method="post" onSubmit={submit} className="flex flex-col gap-4">
          {channel ? null : (
            <RadioGroup
              legend="Kind"
              name="channel-kind"
              value={draft.kind}
              onChange={(kind) => set({ kind })}
              options={[
                { value: 'webhook', label: 'Webhook', hint: 'A signed message to a program of yours.' },
                { value: 'email', label: 'E-mail', hint: 'A mail by your SMTP server.' },
              ]}
            />
          )}
          <div className="grid gap-4 sm:grid-cols-2">
            <Field label="Name" error={wrong('name')} required>
              <Input
                data-autofocus=""
                autoComplete="off"
                maxLength={100}
                value={draft.name}
                onChange={({ target }) => set({ name: target.value })}
              />
            </Field>
            <Field label="Takes alerts that are" error={wrong('leastSeverity')}>
              <Select
                value={draft.leastSeverity}
                onChange={({ target }) => set({ leastSeverity: target.value as Draft['leastSeverity'] })}
              >
                {[...severityOrder].reverse().map((severity) => (
                  <option key={severity} value={severity}>
                    {severity === 'critical' ? 'Critical' : `${severityWords[severity]} or graver`}
                  </option>
                ))}
              </Select>
            </Field>
          </div>
          {draft.kind === 'webhook' ? (
            <WebhookFields draft={draft} set={set} wrong={wrong} channel={channel} />
          ) : (
            <MailFields draft={draft} set={set} wrong={wrong} channel={channel} />
          )}
          <Checkbox
            label="On"
            hint="Off: nothing is sent, and what waits is given up."
            checked={draft.enabled}
            onChange={({ target }) => set({ enabled: target.checked })}
          />
          <DialogError>{failure ? <ErrorText error={failure.error} /> : null}</DialogError>
          <FormActions onCancel={onClose}>
            <Button type="submit" variant="primary">
              {channel ? 'Change the channel' : 'Add the channel'}
            </Button>
          </FormActions>
        </form>
      </Dialog>
      {dialog}
    </>
  )
}
