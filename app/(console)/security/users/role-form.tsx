'use client'

import { useState } from 'react'
import { type Role, roleOrder, roleWords, type User } from '@/components/security/words'
import { Button } from '@/components/ui/button'
import { RadioGroup } from '@/components/ui/field'

export const roleOptions = roleOrder.map((role) => ({
  value: role,
  label: roleWords[role].name,
  hint: roleWords[role].may,
}))

/** Chooses another role; `onChange` asks for the step-up. */
export function RoleForm({ user, onChange }: { user: User; onChange: (role: Role) => void }) {
  const [chosen, setChosen] = useState<Role>()
  const role = chosen ?? user.role
  return (
    <div className="flex flex-col items-start gap-3">
      <RadioGroup
        legend={<span className="sr-only">Role of {user.email}</span>}
        name="role"
        value={role}
        onChange={setChosen}
        options={roleOptions}
        className="w-full"
      />
      <Button
        onClick={() => onChange(role)}
        disabled={role === user.role}
        title={role === user.role ? 'Choose another role first' : undefined}
      >
        Change role
      </Button>
    </div>
  )
}
