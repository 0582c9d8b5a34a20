'use client'

import { Field, Input } from './field'

/** Whether the name was typed that something asks for; without one there is nothing to type. */
export const nameTyped = (name: string | undefined, typed: string) => !name || typed.trim() === name

/** Asks for a name to be typed, before what cannot be taken back. */
export function ConfirmName({
  name,
  typed,
  onType,
}: {
  name: string
  typed: string
  onType: (typed: string) => void
}) {
  return (
    <Field
      label={
        <>
          Type <span className="font-mono select-all">{name}</span> to confirm
        </>
      }
    >
      <Input
        data-autofocus=""
        autoComplete="off"
        spellCheck={false}
        className="font-mono"
        value={typed}
        onChange={(event) => onType(event.target.value)}
      />
    </Field>
  )
}
