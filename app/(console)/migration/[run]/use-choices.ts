'use client'

import { useEffect, useState } from 'react'
import type { Choices, Run } from '@/components/migration/types'
import { useTRPCClient } from '@/components/trpc/trpc'
import { areSame, noChoices } from './choices'

/** What is chosen for a run, with what was changed since and not applied yet. */
export interface Draft {
  choices: Choices
  /** Something differs from what the plan was made by. */
  dirty: boolean
  change(next: Choices): void
  discard(): void
  /** Plans anew by it. */
  apply(): Promise<void>
}

/** Null where nothing can be chosen: the run was started, writes nothing, or has a plan of its own, or the user may not. */
export function useChoices(run: Run, canManage: boolean, onChanged: () => unknown): Draft | null {
  const client = useTRPCClient()
  const [draft, setDraft] = useKept<Choices>(`migration-choices-${run.id}`)
  const base = run.choices ?? noChoices
  if (!canManage || run.state !== 'planned' || run.purpose === 'compare' || run.sourceKind === 'store')
    return null
  const choices = draft ?? base
  return {
    choices,
    dirty: draft !== null && !areSame(draft, base),
    change: setDraft,
    discard: () => setDraft(null),
    async apply() {
      await client.migration.choose.mutate({ id: run.id, choices })
      setDraft(null)
      await onChanged()
    },
  }
}

/** State that outlives a reload of this tab; where the browser keeps nothing, it doesn't. */
function useKept<T>(name: string): [T | null, (value: T | null) => void] {
  const [value, setValue] = useState<T | null>(null)
  // After the first drawing, which is the same on the server.
  useEffect(() => {
    try {
      const kept = sessionStorage.getItem(name)
      if (kept) setValue(JSON.parse(kept) as T)
    } catch {}
  }, [name])
  return [
    value,
    (next) => {
      setValue(next)
      try {
        if (next === null) sessionStorage.removeItem(name)
        else sessionStorage.setItem(name, JSON.stringify(next))
      } catch {}
    },
  ]
}
