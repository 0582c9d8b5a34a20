'use client'

import { type FormEvent, useEffect, useRef, useState } from 'react'
import { fieldError } from '@/components/auth/client'
import { FormFailure } from '@/components/auth/form-failure'
import { makePasskey, type PasskeyMade, type PasskeyPlan, useCeremony } from '@/components/auth/passkey'
import { Button } from '@/components/ui/button'
import { Field, Input } from '@/components/ui/field'
import { FormActions } from '@/components/ui/form-actions'
import { useSingleFlight } from '@/components/ui/single-flight'

/** Names a passkey, and has the browser make it. */
export function PasskeyStep({
  plan,
  onMade,
  onCancel,
}: {
  plan: PasskeyPlan
  onMade: (passkey: { name: string; response: PasskeyMade }) => Promise<unknown>
  onCancel: () => void
}) {
  const [name, setName] = useState('')
  const [failure, setFailure] = useState<{ error: unknown }>()
  const input = useRef<HTMLInputElement>(null)
  const ceremony = useCeremony()
  const [run, busy] = useSingleFlight(async () => {
    setFailure(undefined)
    try {
      const response = await ceremony(() => makePasskey(plan))
      if (response) await onMade({ name, response })
    } catch (error) {
      setFailure({ error })
    }
  })
  useEffect(() => input.current?.focus(), [])
  const submit = (event: FormEvent) => {
    event.preventDefault()
    void run()
  }
  const wrong = failure && fieldError(failure.error, 'name')
  return (
    <form method="post" onSubmit={submit} className="flex flex-col gap-4">
      <p className="text-muted">
        Your browser makes it, and keeps it on this device, on a security key, or in your password manager.
      </p>
      <Field
        label="Name"
        hint="So that you know it again: “Laptop”, “Blue security key”."
        error={wrong}
        required
      >
        <Input
          ref={input}
          name="name"
          autoComplete="off"
          maxLength={100}
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
      </Field>
      <FormFailure failure={wrong ? undefined : failure} />
      <FormActions onCancel={onCancel}>
        <Button type="submit" variant="primary" busy={busy} disabled={name.trim() === ''}>
          Make the passkey
        </Button>
      </FormActions>
    </form>
  )
}
