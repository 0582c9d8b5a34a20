'use client'

import clsx from 'clsx'
import { type ComponentProps, createContext, type ReactNode, use, useId, useState } from 'react'
import { EyeIcon, EyeOffIcon } from './icons'

type FieldState = { id: string; describedBy?: string; invalid: boolean; required: boolean }

const FieldContext = createContext<FieldState | null>(null)

export type FieldProps = {
  label: ReactNode
  children: ReactNode
  hint?: ReactNode
  /** The reason this value was refused; announced, and tied to the control. */
  error?: ReactNode
  required?: boolean
  /** Something small at the right end of the label's line. */
  aside?: ReactNode
  className?: string
}

/** Label, control, hint and error, tied together for assistive technology. Holds exactly one control. */
export function Field({ label, children, hint, error, required = false, aside, className }: FieldProps) {
  const id = useId()
  const described = [hint ? `${id}-hint` : '', error ? `${id}-error` : ''].filter(Boolean).join(' ')
  return (
    <FieldContext value={{ id, describedBy: described || undefined, invalid: Boolean(error), required }}>
      <div className={clsx('flex flex-col gap-1', className)}>
        <div className="flex items-baseline justify-between gap-2">
          <label htmlFor={id} className="font-medium">
            {label}
          </label>
          {aside ? <span className="text-note text-muted">{aside}</span> : null}
        </div>
        {children}
        {hint ? (
          <p id={`${id}-hint`} className="text-note text-muted">
            {hint}
          </p>
        ) : null}
        <p id={`${id}-error`} role="alert" className="text-note text-bad empty:hidden">
          {error}
        </p>
      </div>
    </FieldContext>
  )
}

/** What a control inside a Field must carry; nothing when it stands alone. */
function useFieldControl(own: { id?: string; 'aria-describedby'?: string; required?: boolean }) {
  const field = use(FieldContext)
  if (!field) return {}
  return {
    id: own.id ?? field.id,
    required: own.required ?? (field.required || undefined),
    'aria-describedby': [own['aria-describedby'], field.describedBy].filter(Boolean).join(' ') || undefined,
    'aria-invalid': field.invalid || undefined,
  }
}

const CONTROL = clsx(
  'w-full min-w-0 rounded-control border border-control bg-surface px-2 text-body text-text',
  'placeholder:text-muted hover:border-text aria-invalid:border-bad disabled:opacity-55 disabled:cursor-not-allowed',
  'pointer-coarse:text-lead',
)

/** One line of text. Codes and numbers: give `inputMode` and `autoComplete`. */
export function Input({ className, ...props }: ComponentProps<'input'>) {
  return <input {...props} {...useFieldControl(props)} className={clsx(CONTROL, 'h-8', className)} />
}

/** Several lines of text. */
export function TextArea({ className, ...props }: ComponentProps<'textarea'>) {
  return <textarea {...props} {...useFieldControl(props)} className={clsx(CONTROL, 'py-1', className)} />
}

/** The native select. */
export function Select({ className, ...props }: ComponentProps<'select'>) {
  return <select {...props} {...useFieldControl(props)} className={clsx(CONTROL, 'h-8 pr-1', className)} />
}

/** A password that can be shown and pasted. Give `autoComplete`: `current-password` or `new-password`. */
export function PasswordInput({ className, ...props }: Omit<ComponentProps<'input'>, 'type'>) {
  const [shown, setShown] = useState(false)
  const control = useFieldControl(props)
  return (
    <div className="relative">
      <input
        spellCheck={false}
        autoCapitalize="off"
        autoCorrect="off"
        {...props}
        {...control}
        type={shown ? 'text' : 'password'}
        className={clsx(CONTROL, 'h-8 pr-8', shown && 'font-mono', className)}
      />
      <button
        type="button"
        aria-label="Show password"
        aria-pressed={shown}
        aria-controls={control.id}
        title={shown ? 'Hide password' : 'Show password'}
        className="absolute inset-y-0 right-0 grid w-8 place-items-center rounded-control text-muted hover:text-text"
        onClick={() => setShown(!shown)}
      >
        {shown ? <EyeOffIcon /> : <EyeIcon />}
      </button>
    </div>
  )
}

export type CheckboxProps = Omit<ComponentProps<'input'>, 'type'> & { label: ReactNode; hint?: ReactNode }

/** A checkbox with its label; the whole line is the target. */
export function Checkbox({ label, hint, className, ...props }: CheckboxProps) {
  const id = useId()
  return (
    <label className={clsx('flex min-h-6 items-start gap-2 py-0.5', className)}>
      <input
        {...props}
        type="checkbox"
        aria-describedby={hint ? `${id}-hint` : undefined}
        className="mt-0.5 size-4 shrink-0 accent-accent"
      />
      <span>
        {label}
        {hint ? (
          <span id={`${id}-hint`} className="block text-note text-muted">
            {hint}
          </span>
        ) : null}
      </span>
    </label>
  )
}

export type RadioGroupProps<Value extends string> = {
  legend: ReactNode
  name: string
  value: Value
  onChange: (value: Value) => void
  options: readonly { value: Value; label: ReactNode; hint?: ReactNode; disabled?: boolean }[]
  className?: string
}

/** A choice of one among a few, with a hint under each. */
export function RadioGroup<Value extends string>({
  legend,
  name,
  value,
  onChange,
  options,
  className,
}: RadioGroupProps<Value>) {
  const id = useId()
  return (
    <fieldset className={clsx('flex flex-col', className)}>
      <legend className="mb-1 font-medium">{legend}</legend>
      {options.map((option) => (
        <label
          key={option.value}
          className="flex min-h-6 items-start gap-2 border-t border-border py-2 last:border-b has-disabled:text-muted"
        >
          <input
            type="radio"
            name={name}
            value={option.value}
            checked={option.value === value}
            disabled={option.disabled}
            onChange={() => onChange(option.value)}
            aria-describedby={option.hint ? `${id}-${option.value}` : undefined}
            className="mt-0.5 size-4 shrink-0 accent-accent"
          />
          <span>
            {option.label}
            {option.hint ? (
              <span id={`${id}-${option.value}`} className="block text-note text-muted">
                {option.hint}
              </span>
            ) : null}
          </span>
        </label>
      ))}
    </fieldset>
  )
}
