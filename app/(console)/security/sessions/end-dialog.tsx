'use client'

import { useQueryClient } from '@tanstack/react-query'
import type { User } from '@/components/security/words'
import { useTRPC, useTRPCClient } from '@/components/trpc/trpc'
import { ConfirmDialog } from '@/components/ui/confirm-dialog'
import { formatCount } from '@/components/ui/format'
import { useToast } from '@/components/ui/toast'
import type { UserSession } from './session-columns'

/** What is to be ended: one session, or all of a user. */
export type Ending = { one: UserSession } | { all: User; count: number; isMe: boolean }

export function EndDialog({ ending, onClose }: { ending: Ending; onClose: () => void }) {
  const trpc = useTRPC()
  const { security } = useTRPCClient()
  const queries = useQueryClient()
  const toast = useToast()
  async function end() {
    try {
      if ('one' in ending) {
        await security.endSession.mutate({ sessionId: ending.one.id })
        toast({ text: `The session of ${ending.one.email} ended.`, tone: 'ok' })
      } else {
        const { ended } = await security.endSessions.mutate({ userId: ending.all.id })
        toast({ text: `${formatCount(ended, 'session')} of ${ending.all.email} ended.`, tone: 'ok' })
      }
    } finally {
      await Promise.all([
        queries.invalidateQueries(trpc.security.sessions.pathFilter()),
        queries.invalidateQueries(trpc.security.users.pathFilter()),
      ])
    }
  }
  return (
    <ConfirmDialog
      open
      onClose={onClose}
      title={'one' in ending ? 'End this session?' : 'End all sessions?'}
      effect={effectOf(ending)}
      confirmLabel={'one' in ending ? 'End session' : 'End all sessions'}
      onConfirm={end}
    />
  )
}

function effectOf(ending: Ending): string {
  if ('one' in ending) {
    const { email, device, address } = ending.one
    return `${email}, ${device} at ${address}, is signed out at once.`
  }
  const { all, count, isMe } = ending
  return `${all.email} is signed out of ${formatCount(count, 'session')} at once, and may sign in again.${isMe ? ' This session is one of them.' : ''}`
}
