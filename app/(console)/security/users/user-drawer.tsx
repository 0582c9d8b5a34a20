'use client'

import type { ReactNode } from 'react'
import type { MadeLink } from '@/components/security/shown-once'
import { roleWords, type User } from '@/components/security/words'
import { Button } from '@/components/ui/button'
import { Drawer } from '@/components/ui/drawer'
import { Empty } from '@/components/ui/empty'
import { formatCount } from '@/components/ui/format'
import { KeyValue } from '@/components/ui/text'
import { Time } from '@/components/ui/time'
import { RoleForm } from './role-form'
import { useUserActions } from './user-actions'
import { LastSignIn, SecondFactor, SessionsLink, UserStateMark } from './user-columns'

export interface UserDrawerProps {
  /** From the URL; null when it is closed. */
  id: string | null
  user: User | undefined
  isMe: boolean
  manage: boolean
  /** Whether the user's role must have a second factor. */
  required: boolean
  onLink: (made: MadeLink) => void
  onClose: () => void
}

/** One user: who it is, and what an admin can do. */
export function UserDrawer({ id, user, onClose, ...rest }: UserDrawerProps) {
  return (
    <Drawer open={id !== null} onClose={onClose} title={user ? user.name : 'User'} subtitle={user?.email}>
      {user ? (
        <Facts user={user} required={rest.required} />
      ) : (
        <Empty kind="no-match" title="There is no such user">
          The invitation was withdrawn, or the address is not complete.
        </Empty>
      )}
      {user && rest.manage ? (
        <Actions key={user.id} user={user} isMe={rest.isMe} onLink={rest.onLink} onGone={onClose} />
      ) : null}
      {user && !rest.manage ? <p className="mt-6 text-muted">Only an admin can change users.</p> : null}
    </Drawer>
  )
}

function Facts({ user, required }: { user: User; required: boolean }) {
  return (
    <KeyValue
      items={[
        { label: 'Role', value: roleWords[user.role].name },
        { label: 'State', value: <UserStateMark user={user} /> },
        { label: 'Second factor', value: <SecondFactor user={user} required={required} /> },
        { label: 'Live sessions', value: <SessionsLink user={user} /> },
        { label: 'Last sign-in', value: <LastSignIn user={user} /> },
        { label: user.state === 'invited' ? 'Invited' : 'Made', value: <Time at={user.createdAt} /> },
      ]}
    />
  )
}

function Actions({
  user,
  isMe,
  onLink,
  onGone,
}: {
  user: User
  isMe: boolean
  onLink: (made: MadeLink) => void
  onGone: () => void
}) {
  const { act, dialogs } = useUserActions({ user, isMe, onLink, onGone })
  if (user.state === 'invited') {
    return (
      <>
        <Lines title="Invitation">
          <Line note="Makes another link; the earlier one stops working.">
            <Button onClick={act.renewInvite}>New link</Button>
          </Line>
          <Line note="The link stops working and the account is gone.">
            <Button onClick={act.withdrawInvite}>Withdraw</Button>
          </Line>
        </Lines>
        {dialogs}
      </>
    )
  }
  return (
    <>
      <Lines title="Role">
        <RoleForm key={user.role} user={user} onChange={act.setRole} />
      </Lines>
      <Lines title="Sign-in">
        <Line note="At once nothing else works until a new password is given.">
          <Button
            onClick={act.requirePasswordChange}
            disabled={user.mustChangePassword}
            title={user.mustChangePassword ? 'It is required already' : undefined}
          >
            Require new password
          </Button>
        </Line>
        <Line note="The old password stops; a link lets the user give a new one.">
          <Button onClick={act.resetPassword}>Reset password</Button>
        </Line>
        <Line note="Takes all factors away, for a lost device.">
          <Button
            onClick={act.resetFactor}
            disabled={user.factors.length === 0}
            title={user.factors.length === 0 ? 'There is none' : undefined}
          >
            Reset second factor
          </Button>
        </Line>
        <Line note={`${formatCount(user.sessions, 'live session')}.`}>
          <Button
            onClick={act.endSessions}
            disabled={user.sessions === 0}
            title={user.sessions === 0 ? 'There is none' : undefined}
          >
            End all sessions
          </Button>
        </Line>
      </Lines>
      <Lines title="Access">
        {user.state === 'disabled' ? (
          <Line note="May sign in again, with the password and factors of before.">
            <Button onClick={act.enable}>Enable</Button>
          </Line>
        ) : (
          <Line note="Cannot sign in, and is signed out everywhere at once.">
            <Button onClick={act.disable}>Disable</Button>
          </Line>
        )}
      </Lines>
      {dialogs}
    </>
  )
}

function Lines({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="mt-6">
      <h3 className="mb-2 font-medium">{title}</h3>
      {children}
    </section>
  )
}

/** What an action does at the left, the action at the right. */
function Line({ note, children }: { note: string; children: ReactNode }) {
  return (
    <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 border-t border-border py-2 last:border-b">
      <p className="min-w-0 flex-1 basis-44 text-muted">{note}</p>
      {children}
    </div>
  )
}
