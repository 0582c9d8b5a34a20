'use client'

import { useQueryClient } from '@tanstack/react-query'
import { useTRPC, useTRPCClient } from '@/components/trpc/trpc'
import { ConfirmDialog } from '@/components/ui/confirm-dialog'
import { useToast } from '@/components/ui/toast'

/** Empties the slow log of every node. */
export function ResetDialog({ onClose }: { onClose: () => void }) {
  const trpc = useTRPC()
  const { cache } = useTRPCClient()
  const queries = useQueryClient()
  const toast = useToast()
  async function reset() {
    try {
      await cache.resetSlowLog.mutate()
      toast({ text: 'The slow log was reset.', tone: 'ok' })
    } finally {
      // Also after a failure: some nodes may have done it.
      await queries.invalidateQueries(trpc.cache.slowLog.pathFilter())
    }
  }
  return (
    <ConfirmDialog
      open
      onClose={onClose}
      title="Reset the slow log?"
      effect="Every node forgets the slow commands it has noted. No key is touched."
      confirmLabel="Reset the slow log"
      onConfirm={reset}
    />
  )
}
