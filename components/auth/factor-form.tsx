'use client'

import { type FormEvent, type ReactNode, useEffect, useRef, useState } from 'react'
import { Button } from '@/components/ui/button'
import { Field, Input } from '@/components/ui/field'
import { FormActions } from '@/components/ui/form-actions'
import { useSingleFlight } from '@/components/ui/single-flight'
import type { RouterOutputs } from '@/server/routers/_app'
import { codeOf, saysOf } from './client'
import { FormFailure } from './form-failure'
import {
  type PasskeyAnswer,
  type PasskeyRequest,
  provePasskey,
  useCeremony,
  usePasskeySupport,
} from './passkey'
import { useWait } from './wait'

type Way = RouterOutputs['auth']['stepUpOptions']['factors'][number]

/** What proves the second factor, as the procedures take it. */
export type Proof = { code: string } | { passkey: PasskeyAnswer }

const switches: Record<Way, string> = {
  passkey: 'Use a passkey',
  totp: 'Use an authenticator app',
  'backup-code': 'Use a backup code',
}

export interface FactorFormProps {
  factors: readonly Way[]
  /** What the browser needs for a passkey. */
  passkey: PasskeyRequest | null
  /** The button that sends a code. */
  label: string
  /** The button that asks for the passkey; the same by default. */
  passkeyLabel?: string
  variant?: 'primary' | 'danger'
  /** False while something above is still to be filled in. */
  ready?: boolean
  /** Takes the proof. A rejection is shown here, and the next try starts from it. */
  onProof: (proof: Proof) => Promise<unknown>
  /** Leaves a dialog; without it the button spans the page's form. */
  onCancel?: () => void
  /** Fields above the factor. */
  children?: ReactNode
}

/** Asks for a second factor: the passkey first where there is one, else a code; the others stay a press away. */
export function FactorForm({
  factors,
  passkey,
  label,
  passkeyLabel = label,
  variant = 'primary',
  ready = true,
  onProof,
  onCancel,
  children,
}: FactorFormProps) {
  const supported = usePasskeySupport()
  const ways = (Object.keys(switches) as Way[]).filter(
    (way) => factors.includes(way) && (way !== 'passkey' || (supported && passkey !== null)),
  )
  const [chosen, setChosen] = useState<Way>()
  const way = chosen ?? ways[0]
  const [typed, setTyped] = useState('')
  const [failure, setFailure] = useState<{ error: unknown }>()
  const left = useWait(failure?.error)
  const form = useRef<HTMLFormElement>(null)
  const ceremony = useCeremony()

  // biome-ignore lint/correctness/useExhaustiveDependencies: another way has another first control
  useEffect(() => {
    form.current?.querySelector<HTMLElement>('[data-autofocus], button[type=submit]')?.focus()
  }, [way])

  const [run, busy] = useSingleFlight(async (by: Way) => {
    setFailure(undefined)
    try {
      if (by === 'passkey' && passkey) {
        const answer = await ceremony(() => provePasskey(passkey))
        if (answer) await onProof({ passkey: answer })
      } else await onProof({ code: typed.replace(/\s/g, '') })
    } catch (error) {
      setFailure({ error })
      form.current?.querySelector<HTMLInputElement>('input[name=code]')?.select()
    }
  })

  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (way && ready && left === 0) void run(way)
  }
  const choose = (next: Way) => {
    setChosen(next)
    setTyped('')
    setFailure(undefined)
    if (next === 'passkey' && ready) void run(next)
  }
  const wrong = failure && codeOf(failure.error) === 'WRONG_CODE' ? saysOf(failure.error) : undefined
  const change = (event: { target: { value: string } }) => setTyped(event.target.value)
  const button = (
    <Button
      type="submit"
      variant={variant}
      busy={busy}
      disabled={!ready || left > 0 || (way !== 'passkey' && typed.trim() === '')}
      className={onCancel ? undefined : 'w-full'}
    >
      {way === 'passkey' ? passkeyLabel : label}
    </Button>
  )
  return (
    <form method="post" ref={form} onSubmit={submit} className="flex flex-col gap-4">
      {children}
      {way === 'totp' ? (
        <Field label="Code" hint="6 digits of your authenticator app." error={wrong} required>
          <Input
            name="code"
            inputMode="numeric"
            autoComplete="one-time-code"
            spellCheck={false}
            className="font-mono tracking-widest"
            data-autofocus=""
            value={typed}
            onChange={change}
          />
        </Field>
      ) : null}
      {way === 'backup-code' ? (
        <Field label="Backup code" hint="Each code works once." error={wrong} required>
          <Input
            name="code"
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
            className="font-mono"
            data-autofocus=""
            value={typed}
            onChange={change}
          />
        </Field>
      ) : null}
      {way === 'passkey' ? <p className="text-muted">Your browser asks for your passkey.</p> : null}
      {way === undefined ? (
        <p className="text-muted">
          Your second factor is a passkey, and this browser cannot use it here. Open the console over https,
          or in another browser.
        </p>
      ) : null}
      <FormFailure failure={wrong && way !== 'passkey' ? undefined : failure} left={left} />
      {onCancel ? <FormActions onCancel={onCancel}>{way ? button : null}</FormActions> : way ? button : null}
      {ways.length > 1 ? (
        <div className="flex flex-wrap gap-x-4 gap-y-1">
          {ways
            .filter((other) => other !== way)
            .map((other) => (
              <button
                key={other}
                type="button"
                disabled={busy}
                className="min-h-6 text-accent underline underline-offset-4 disabled:opacity-55"
                onClick={() => choose(other)}
              >
                {switches[other]}
              </button>
            ))}
        </div>
      ) : null}
    </form>
  )
}
