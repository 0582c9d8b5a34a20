'use client'

import { useQueryClient } from '@tanstack/react-query'
import { useStepUp } from '@/components/auth/step-up'
import type { IndexChange, OfferedIndex, OfferedProblem } from '@/components/database/types'
import { useTRPC, useTRPCClient } from '@/components/trpc/trpc'
import { useToast } from '@/components/ui/toast'
import { dropEffect, makeEffect, tableOf } from './words'

const withGrant = (grantId: string) => ({ context: { stepUp: grantId } })

/** Whether a piece of DDL takes something away. */
export const drops = (ddl: string | null) => /^\s*drop\b/i.test(ddl ?? '')

/** What an admin does with indexes, each by a fresh factor: `dialog` stands in the page. */
export function useIndexActions() {
  const trpc = useTRPC()
  const { database } = useTRPCClient()
  const queries = useQueryClient()
  const toast = useToast()
  const { ask, dialog } = useStepUp()

  async function after(text: string) {
    toast({ text, tone: 'ok' })
    await Promise.all([
      queries.invalidateQueries(trpc.database.indexChanges.pathFilter()),
      queries.invalidateQueries(trpc.database.advice.pathFilter()),
    ])
  }
  const apply = (key: string, done: string) => async (grantId: string) => {
    await database.applyIndex.mutate({ key }, withGrant(grantId))
    await after(done)
  }

  return {
    dialog,

    make: ({ key, name, index, ddl, sizeBytes }: OfferedIndex) =>
      ask({
        action: 'database.applyIndex',
        input: { key },
        title: `Make ${name}`,
        label: 'Make this index',
        effect: makeEffect(ddl, tableOf(index), sizeBytes),
        run: apply(key, `${name} is being made.`),
      }),

    mend({ key, index, place, ddl, bytes }: OfferedProblem) {
      if (key === null || ddl === null) return
      const gone = drops(ddl)
      const what = index ?? 'the index'
      ask({
        action: 'database.applyIndex',
        input: { key },
        title: gone ? `Drop ${what}` : 'Make the index',
        label: gone ? 'Drop the index' : 'Make the index',
        effect: gone ? dropEffect(ddl, place, bytes) : makeEffect(ddl, place, bytes),
        ...(gone && index !== null ? { confirmName: index, variant: 'danger' as const } : {}),
        run: apply(key, gone ? `${what} is being dropped.` : `The index on ${place} is being made.`),
      })
    },

    undo: ({ id, kind, index, table, undo }: IndexChange) =>
      ask({
        action: 'database.undoIndex',
        input: { id },
        title: kind === 'create' ? `Drop ${index} again` : `Make ${index} again`,
        label: 'Undo',
        effect:
          kind === 'create'
            ? `Drops ${index} on ${table}. Its statements are as slow as before then.`
            : makeEffect(undo, table, null).replace(' Undo drops it again.', ''),
        run: async (grantId) => {
          await database.undoIndex.mutate({ id }, withGrant(grantId))
          await after(kind === 'create' ? `${index} is being dropped.` : `${index} is being made again.`)
        },
      }),
  }
}
