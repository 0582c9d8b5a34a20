'use client'

import { type ReactNode, useId } from 'react'
import { byArea, type Permission, verbWords } from '@/components/security/words'
import { Checkbox } from '@/components/ui/field'

/** Permissions as checkboxes, a line an area. `needed` stays chosen as long as the key's action asks for it. */
export function PermissionBoxes({
  held,
  chosen,
  needed,
  onChange,
  error,
}: {
  held: readonly Permission[]
  chosen: readonly Permission[]
  needed?: Permission
  onChange: (chosen: readonly Permission[]) => void
  error?: ReactNode
}) {
  const id = useId()
  const set = (permission: Permission, on: boolean) =>
    onChange(on ? [...chosen, permission] : chosen.filter((each) => each !== permission))
  return (
    <fieldset aria-describedby={error ? `${id}-error` : undefined}>
      <legend className="mb-1 font-medium">Permissions</legend>
      {byArea(held).map(({ area, name, rights }) => (
        <fieldset
          key={area}
          className="grid grid-cols-[6rem_1fr] items-start border-t border-border py-1.5 last-of-type:border-b"
        >
          <legend className="sr-only">{name}</legend>
          <span aria-hidden="true" className="py-0.5">
            {name}
          </span>
          <div className="flex flex-wrap gap-x-4">
            {rights.map(({ verb, permission }) => (
              <Checkbox
                key={permission}
                label={verbWords[verb].name}
                checked={chosen.includes(permission)}
                disabled={permission === needed}
                title={permission === needed ? 'The action needs it' : undefined}
                onChange={({ target }) => set(permission, target.checked)}
                className="w-24"
              />
            ))}
          </div>
        </fieldset>
      ))}
      <p id={`${id}-error`} role="alert" className="mt-1 text-note text-bad empty:hidden">
        {error}
      </p>
    </fieldset>
  )
}
