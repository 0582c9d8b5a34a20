'use client'

import { type FormEvent, useEffect, useId, useRef, useState } from 'react'
import { codeOf, saysOf } from '@/components/auth/client'
import { FormFailure } from '@/components/auth/form-failure'
import { QrCode } from '@/components/auth/qr-code'
import { useWait } from '@/components/auth/wait'
import { Button } from '@/components/ui/button'
import { CopyButton } from '@/components/ui/copy-button'
import { Field, Input } from '@/components/ui/field'
import { FormActions } from '@/components/ui/form-actions'
import { useSingleFlight } from '@/components/ui/single-flight'

/** Shows the secret for an authenticator app, and puts it to use once the app's code fits. */
export function TotpStep({
  secret,
  uri,
  onCode,
  onCancel,
}: {
  secret: string
  uri: string
  onCode: (code: string) => Promise<unknown>
  onCancel: () => void
}) {
  const keyId = useId()
  const [typed, setTyped] = useState('')
  const [failure, setFailure] = useState<{ error: unknown }>()
  const left = useWait(failure?.error)
  const input = useRef<HTMLInputElement>(null)
  const [run, busy] = useSingleFlight(async () => {
    setFailure(undefined)
    try {
      await onCode(typed.replace(/\s/g, ''))
    } catch (error) {
      setFailure({ error })
      input.current?.select()
    }
  })
  useEffect(() => input.current?.focus({ preventScroll: true }), [])
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (left === 0) void run()
  }
  const wrong = failure && codeOf(failure.error) === 'WRONG_CODE' ? saysOf(failure.error) : undefined
  return (
    <form method="post" onSubmit={submit} className="flex flex-col gap-4">
      <p className="text-muted">
        Scan this with an authenticator app, such as the one in your password manager. Nothing changes until
        its code is right.
      </p>
      <QrCode text={uri} label="QR code for your authenticator app" />
      <div>
        <p className="font-medium">Key, to type it instead</p>
        <p id={keyId} className="grid w-fit grid-cols-4 gap-x-3 font-mono text-lead">
          {secret.match(/.{1,4}/g)?.map((group, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: groups can be alike, and never move
            <span key={at}>{group} </span>
          ))}
        </p>
        <div className="mt-2 flex flex-wrap items-center gap-2">
          <CopyButton text={secret} label="Copy key" showLabel textId={keyId} />
          <CopyButton text={uri} label="Copy URI" showLabel />
          <a href={uri} className="inline-flex min-h-6 items-center text-accent underline underline-offset-4">
            Open in an app here
          </a>
        </div>
      </div>
      <Field label="Code" hint="6 digits that the app shows now." error={wrong} required>
        <Input
          ref={input}
          name="code"
          inputMode="numeric"
          autoComplete="one-time-code"
          spellCheck={false}
          className="font-mono tracking-widest"
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
      </Field>
      <FormFailure failure={wrong ? undefined : failure} left={left} />
      <FormActions onCancel={onCancel} busy={busy}>
        <Button type="submit" variant="primary" busy={busy} disabled={left > 0 || typed.trim() === ''}>
          Activate
        </Button>
      </FormActions>
    </form>
  )
}
