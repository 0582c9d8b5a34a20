'use client'

import type { ReactNode } from 'react'
import type { Channel } from '@/components/alerts/words'
import { Checkbox, Field, Input, PasswordInput, Select, TextArea } from '@/components/ui/field'
import { type Draft, usualPorts } from './channel-draft'

export interface FieldsProps {
  draft: Draft
  set: (change: Partial<Draft>) => void
  wrong: (field: string) => ReactNode
  /** The channel that is changed; absent for a new one. */
  channel: Channel | undefined
}

const plain = { autoComplete: 'off', spellCheck: false, autoCapitalize: 'off' } as const

/** Where a webhook goes, and what it brings. */
export function WebhookFields({ draft, set, wrong, channel }: FieldsProps) {
  const config = channel?.kind === 'webhook' ? channel.config : undefined
  const names = config?.headerNames ?? []
  return (
    <>
      <Field
        label="Address"
        hint={
          config
            ? `Left empty, it stays: ${config.origin}/…`
            : 'Kept sealed: it is not shown again, since many hold a token.'
        }
        error={wrong('url')}
        required={!channel}
      >
        <Input
          {...plain}
          type="url"
          placeholder="https://example.com/hooks/holdfast"
          maxLength={2_000}
          value={draft.url}
          onChange={({ target }) => set({ url: target.value })}
        />
      </Field>
      {config ? (
        <Checkbox
          label="Replace the headers"
          hint={names.length > 0 ? `There are: ${names.join(', ')}.` : 'There are none.'}
          checked={draft.newHeaders}
          onChange={({ target }) => set({ newHeaders: target.checked })}
        />
      ) : null}
      {!config || draft.newHeaders ? (
        <Field
          label="Headers"
          hint="One a line, such as Authorization: Bearer abc. Kept sealed."
          error={wrong('headers')}
        >
          <TextArea
            {...plain}
            rows={2}
            value={draft.headers}
            onChange={({ target }) => set({ headers: target.value })}
            className="font-mono"
          />
        </Field>
      ) : null}
    </>
  )
}

const ways: Record<Draft['tls'], string> = {
  starttls: 'STARTTLS (587)',
  implicit: 'TLS from the first byte (465)',
  none: 'None (25)',
}

/** By which server mail goes, from whom, to whom. */
export function MailFields({ draft, set, wrong, channel }: FieldsProps) {
  const kept = channel?.kind === 'email' && channel.config.user !== null
  return (
    <>
      <div className="grid gap-4 sm:grid-cols-[2fr_2fr_1fr]">
        <Field label="Server" error={wrong('host')} required>
          <Input
            {...plain}
            placeholder="smtp.example.com"
            maxLength={253}
            value={draft.host}
            onChange={({ target }) => set({ host: target.value })}
          />
        </Field>
        <Field label="TLS" error={wrong('tls')}>
          <Select
            value={draft.tls}
            onChange={({ target }) => {
              const tls = target.value as Draft['tls']
              set({ tls, ...(draft.port === usualPorts[draft.tls] ? { port: usualPorts[tls] } : {}) })
            }}
          >
            {Object.entries(ways).map(([value, word]) => (
              <option key={value} value={value}>
                {word}
              </option>
            ))}
          </Select>
        </Field>
        <Field label="Port" error={wrong('port')} required>
          <Input
            type="number"
            inputMode="numeric"
            min={1}
            max={65_535}
            value={draft.port}
            onChange={({ target }) => set({ port: target.value })}
          />
        </Field>
      </div>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label="User" hint="Empty: the server asks for none." error={wrong('user')}>
          <Input
            {...plain}
            maxLength={254}
            value={draft.user}
            onChange={({ target }) => set({ user: target.value })}
          />
        </Field>
        <Field
          label="Password"
          hint={kept ? 'Left empty, it stays.' : 'Kept sealed.'}
          error={wrong('password')}
        >
          <PasswordInput
            autoComplete="new-password"
            maxLength={1_000}
            value={draft.password}
            onChange={({ target }) => set({ password: target.value })}
          />
        </Field>
      </div>
      <div className="grid gap-4 sm:grid-cols-[2fr_1fr]">
        <Field label="From" error={wrong('from')} required>
          <Input
            {...plain}
            type="email"
            maxLength={254}
            value={draft.from}
            onChange={({ target }) => set({ from: target.value })}
          />
        </Field>
        <Field label="Mails an hour" hint="The rest goes in one." error={wrong('hourly')} required>
          <Input
            type="number"
            inputMode="numeric"
            min={1}
            max={1_000}
            value={draft.hourly}
            onChange={({ target }) => set({ hourly: target.value })}
          />
        </Field>
      </div>
      <Field label="To" hint="Addresses, between commas." error={wrong('to')} required>
        <Input {...plain} value={draft.to} onChange={({ target }) => set({ to: target.value })} />
      </Field>
    </>
  )
}
