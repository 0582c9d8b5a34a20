import clsx from 'clsx'
import { factorsInWords, roleWords, stateWords, type User } from '@/components/security/words'
import { formatNumber } from '@/components/ui/format'
import { Link } from '@/components/ui/link'
import { Status } from '@/components/ui/status'
import type { Column } from '@/components/ui/table'
import { RelativeTime, Time } from '@/components/ui/time'

const link = 'underline decoration-border underline-offset-4 hover:decoration-current'

/** Live sessions, leading to them where there are any. */
export function SessionsLink({ user, className }: { user: User; className?: string }) {
  if (user.sessions === 0) return <>0</>
  return (
    <Link
      href={`/security/sessions?user=${user.id}`}
      aria-label={`${user.sessions} live ${user.sessions === 1 ? 'session' : 'sessions'} of ${user.email}`}
      className={clsx('inline-flex min-h-6 min-w-6 items-center', link, className)}
      onClick={(event) => event.stopPropagation()}
    >
      {formatNumber(user.sessions)}
    </Link>
  )
}

/** The state by shape and word, and what it waits for. */
export function UserStateMark({ user }: { user: User }) {
  const { kind, word } = stateWords[user.state]
  return (
    <span className="inline-flex flex-wrap items-center gap-x-2">
      <Status kind={kind}>{word}</Status>
      {user.state === 'invited' ? (
        <span className="text-muted">
          {user.invitedUntil === null ? (
            'link is over'
          ) : (
            <>
              until <Time at={user.invitedUntil} only="date" />
            </>
          )}
        </span>
      ) : null}
      {user.mustChangePassword && user.state !== 'invited' ? (
        <Status kind="warn">Must change password</Status>
      ) : null}
    </span>
  )
}

export function SecondFactor({ user, required }: { user: User; required: boolean }) {
  const words = factorsInWords(user)
  if (words) return <>{words}</>
  if (required && user.state !== 'invited') return <Status kind="warn">none, must enrol</Status>
  return <span className="text-muted">none</span>
}

export function LastSignIn({ user }: { user: User }) {
  if (user.lastSignInAt === null) return <span className="text-muted">never</span>
  return <RelativeTime at={user.lastSignInAt} />
}

export function userColumns(me: string | undefined, required: readonly string[]): Column<User>[] {
  return [
    {
      key: 'name',
      header: 'User',
      rowHeader: true,
      sortable: true,
      cell: (user) => (
        <>
          {user.name}
          {user.id === me ? <span className="text-muted"> (you)</span> : null}
          <br />
          <span className="inline-block text-note text-muted">{user.email}</span>
        </>
      ),
    },
    { key: 'role', header: 'Role', sortable: true, cell: ({ role }) => roleWords[role].name },
    { key: 'state', header: 'State', sortable: true, cell: (user) => <UserStateMark user={user} /> },
    {
      key: 'factors',
      header: 'Second factor',
      cell: (user) => <SecondFactor user={user} required={required.includes(user.role)} />,
    },
    {
      key: 'sessions',
      header: 'Sessions',
      numeric: true,
      sortable: true,
      cell: (user) => <SessionsLink user={user} className="justify-end" />,
    },
    {
      key: 'lastSignIn',
      header: 'Last sign-in',
      numeric: true,
      sortable: true,
      cell: (user) => <LastSignIn user={user} />,
    },
  ]
}
