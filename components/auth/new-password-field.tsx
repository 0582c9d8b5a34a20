import { Field, PasswordInput } from '@/components/ui/field'

/** A password that is given anew, with what it must be. */
export function NewPasswordField({
  label = 'Password',
  least,
  value,
  onChange,
  error,
}: {
  label?: string
  /** Characters that it has at least. */
  least: number
  value: string
  onChange: (event: { target: { value: string } }) => void
  error?: string
}) {
  return (
    <Field
      label={label}
      hint={`At least ${least} characters, of any kind: a few words in a row make a good one. Common passwords are refused.`}
      aside={`${[...value].length} of ${least}`}
      error={error}
      required
    >
      <PasswordInput name="password" autoComplete="new-password" value={value} onChange={onChange} />
    </Field>
  )
}
