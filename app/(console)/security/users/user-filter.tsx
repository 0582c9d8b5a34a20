'use client'

import { roleOrder, roleWords, stateWords, type User } from '@/components/security/words'
import { FilterBar, FilterChoice, FilterText, useUrlFilter } from '@/components/ui/filter-bar'
import type { UserFilter } from './choose'

const states = Object.keys(stateWords) as User['state'][]

export const useUserFilter = () =>
  useUrlFilter<UserFilter>((params) => ({
    text: params.get('text') ?? '',
    role: roleOrder.find((role) => role === params.get('role')) ?? null,
    state: states.find((state) => state === params.get('state')) ?? null,
  }))

export function UserFilterBar({ count }: { count: string }) {
  const { filter, set, clear, any } = useUserFilter()
  return (
    <FilterBar count={count} any={any} onClear={clear}>
      <FilterText
        label="Name or e-mail"
        value={filter.text}
        onChange={(text) => set({ text })}
        className="w-full sm:w-60"
      />
      <FilterChoice
        label="Role"
        value={filter.role}
        all="All roles"
        words={roleOrder}
        nameOf={(role) => roleWords[role].name}
        onChange={(role) => set({ role })}
        className="w-32"
      />
      <FilterChoice
        label="State"
        value={filter.state}
        all="All states"
        words={states}
        nameOf={(state) => stateWords[state].word}
        onChange={(state) => set({ state })}
        className="w-32"
      />
    </FilterBar>
  )
}
