'use client'

import { useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { useStepUp } from '@/components/auth/step-up'
import type { MadeLink } from '@/components/security/shown-once'
import { type Role, roleWords, type User } from '@/components/security/words'
import { useTRPC, useTRPCClient } from '@/components/trpc/trpc'
import { ConfirmDialog } from '@/components/ui/confirm-dialog'
import { formatCount } from '@/components/ui/format'
import { useToast } from '@/components/ui/toast'

type Confirmed = 'withdrawInvite' | 'requirePasswordChange' | 'endSessions'

interface Confirmation {
  title: string
  effect: ReactNode
  label: string
  variant: 'primary' | 'danger'
  done: string
  run: () => Promise<unknown>
}

const withGrant = (grantId: string) => ({ context: { stepUp: grantId } })

/** What an admin does with one user: `act` opens the dialog of each, `dialogs` stands in the page. */
export function useUserActions({
  user,
  isMe,
  onLink,
  onGone,
}: {
  user: User
  isMe: boolean
  onLink: (made: MadeLink) => void
  /** The user is no more. */
  onGone: () => void
}) {
  const trpc = useTRPC()
  const { security } = useTRPCClient()
  const queries = useQueryClient()
  const toast = useToast()
  const { ask, dialog } = useStepUp()
  const [confirming, setConfirming] = useState<Confirmed>()
  const { email } = user
  const input = { userId: user.id }
  const you = isMe ? ' This is you: you are signed out.' : ''

  async function after(text?: string) {
    if (text) toast({ text, tone: 'ok' })
    await Promise.all([
      queries.invalidateQueries(trpc.security.users.pathFilter()),
      queries.invalidateQueries(trpc.security.sessions.pathFilter()),
    ])
  }

  const confirmations: Record<Confirmed, Confirmation> = {
    withdrawInvite: {
      title: 'Withdraw the invitation',
      effect: `The link of ${email} stops working. You can invite the same address again.`,
      label: 'Withdraw',
      variant: 'danger',
      done: `The invitation of ${email} is withdrawn.`,
      run: async () => {
        await security.withdrawInvite.mutate(input)
        onGone()
      },
    },
    requirePasswordChange: {
      title: 'Require a new password',
      effect: `Nothing else works for ${email} until a new password is given, in open sessions too.`,
      label: 'Require new password',
      variant: 'primary',
      done: `${email} must give a new password.`,
      run: () => security.requirePasswordChange.mutate(input),
    },
    endSessions: {
      title: 'End all sessions',
      effect: `${email} is signed out of ${formatCount(user.sessions, 'session')} at once, and may sign in again.${isMe ? ' This session is one of them.' : ''}`,
      label: 'End all sessions',
      variant: 'danger',
      done: `The sessions of ${email} ended.`,
      run: () => security.endSessions.mutate(input),
    },
  }

  const act = {
    withdrawInvite: () => setConfirming('withdrawInvite'),
    requirePasswordChange: () => setConfirming('requirePasswordChange'),
    endSessions: () => setConfirming('endSessions'),

    renewInvite: () =>
      ask({
        action: 'security.renewInvite',
        input,
        label: 'Make a new link',
        title: 'New invitation link',
        effect: `The earlier link of ${email} stops working.`,
        run: async (grantId) => {
          onLink({ kind: 'invite', email, ...(await security.renewInvite.mutate(input, withGrant(grantId))) })
          await after()
        },
      }),

    setRole: (role: Role) =>
      ask({
        action: 'security.setRole',
        input: { ...input, role },
        label: 'Change role',
        title: 'Change the role',
        effect: `${email} becomes ${roleWords[role].name.toLowerCase()}, at once: ${lowerFirst(roleWords[role].may)}`,
        run: async (grantId) => {
          await security.setRole.mutate({ ...input, role }, withGrant(grantId))
          await after(`${email} is ${roleWords[role].name.toLowerCase()} now.`)
        },
      }),

    resetPassword: () =>
      ask({
        action: 'security.resetPassword',
        input,
        label: 'Reset password',
        title: 'Reset password',
        variant: 'danger',
        effect: `The password of ${email} stops working and all sessions end. You get a link by which a new one is given.${you}`,
        confirmName: email,
        run: async (grantId) => {
          onLink({
            kind: 'reset',
            email,
            ...(await security.resetPassword.mutate(input, withGrant(grantId))),
          })
          await after()
        },
      }),

    resetFactor: () =>
      ask({
        action: 'security.resetFactor',
        input,
        label: 'Reset second factor',
        title: 'Reset second factor',
        variant: 'danger',
        effect: `The authenticator app, passkeys and backup codes of ${email} stop working and all sessions end. The password alone signs in until another factor is enrolled.${you}`,
        confirmName: email,
        run: async (grantId) => {
          await security.resetFactor.mutate(input, withGrant(grantId))
          await after(`${email} has no second factor now.`)
        },
      }),

    disable: () =>
      ask({
        action: 'security.disableUser',
        input,
        label: 'Disable',
        title: 'Disable the user',
        variant: 'danger',
        effect: `${email} cannot sign in any more, and all sessions and API keys of this user stop at once.${you}`,
        confirmName: email,
        run: async (grantId) => {
          await security.disableUser.mutate(input, withGrant(grantId))
          await after(`${email} is disabled.`)
        },
      }),

    enable: () =>
      ask({
        action: 'security.enableUser',
        input,
        label: 'Enable',
        title: 'Enable the user',
        effect: `${email} may sign in again, as ${roleWords[user.role].name.toLowerCase()}.`,
        run: async (grantId) => {
          await security.enableUser.mutate(input, withGrant(grantId))
          await after(`${email} may sign in again.`)
        },
      }),
  }

  const confirmation = confirming && confirmations[confirming]
  const dialogs = (
    <>
      {confirmation ? (
        <ConfirmDialog
          open
          onClose={() => setConfirming(undefined)}
          title={confirmation.title}
          effect={confirmation.effect}
          confirmLabel={confirmation.label}
          variant={confirmation.variant}
          onConfirm={async () => {
            await confirmation.run()
            await after(confirmation.done)
          }}
        />
      ) : null}
      {dialog}
    </>
  )
  return { act, dialogs }
}

const lowerFirst = (text: string) => `${text[0]?.toLowerCase()}${text.slice(1)}`
