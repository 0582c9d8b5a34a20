'use client'

import { type InputEvent, useEffect, useId, useState } from 'react'
import { Field, Input } from '@/components/ui/field'

/**
 * A line of text that is handed over when it is finished: by Enter, by leaving it, by choosing a suggestion. Each of
 * them is a question to the store and a step for Back, which single letters should not be.
 */
export function CommitField({
  label,
  value,
  onCommit,
  onType,
  suggestions,
  placeholder,
  className,
  keep = true,
}: {
  label: string
  value: string
  onCommit: (text: string) => void
  /** Told of every letter, to look for suggestions. */
  onType?: (text: string) => void
  suggestions?: readonly { value: string; label?: string }[]
  placeholder?: string
  className?: string
  /** Whether what was handed over stays in the field. */
  keep?: boolean
}) {
  const id = useId()
  const [typed, setTyped] = useState(value)
  // Back, a chip or a row changed the address.
  useEffect(() => setTyped(value), [value])
  const commit = (text: string) => {
    if (text.trim() !== value) onCommit(text.trim())
    if (!keep) setTyped('')
  }
  return (
    <Field label={label} className={className}>
      <Input
        type="search"
        spellCheck={false}
        autoComplete="off"
        autoCapitalize="off"
        list={suggestions ? id : undefined}
        placeholder={placeholder}
        value={typed}
        onChange={({ target, nativeEvent }) => {
          setTyped(target.value)
          onType?.(target.value)
          const { inputType } = nativeEvent as unknown as InputEvent['nativeEvent'] & { inputType?: string }
          // A chosen suggestion, or the cross that empties the field, is no typing.
          const chosen = inputType === undefined || inputType === 'insertReplacementText'
          if (chosen) commit(target.value)
        }}
        onBlur={() => commit(typed)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter') return
          event.preventDefault()
          commit(typed)
        }}
      />
      {suggestions ? (
        <datalist id={id}>
          {suggestions.map(({ value, label }) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </datalist>
      ) : null}
    </Field>
  )
}
