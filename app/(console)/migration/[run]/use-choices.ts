'use client'

import { useState } from 'react'
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
  const [draft, setDraft] = useState<Choices | null>(null)
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
