import { methodWords } from '@/components/auth/methods'
import { Button } from '@/components/ui/button'
import { Link } from '@/components/ui/link'
import { Status } from '@/components/ui/status'
import type { Column, Sort } from '@/components/ui/table'
import { RelativeTime, Time } from '@/components/ui/time'
import type { RouterOutputs } from '@/server/routers/_app'

export type UserSession = RouterOutputs['security']['sessions'][number]

/** `mine` is this browser's session, `onEnd` is absent for who may not end any. */
export function sessionColumns({
  mine,
  onEnd,
}: {
  mine: string | undefined
  onEnd?: (session: UserSession) => void
}): Column<UserSession>[] {
  return [
    {
      key: 'user',
      header: 'User',
      rowHeader: true,
      sortable: true,
      cell: ({ userId, email }) => (
        <Link
          href={`/security/users?user=${userId}`}
          className="inline-flex min-h-6 items-center underline decoration-border underline-offset-4 hover:decoration-current"
        >
          {email}
        </Link>
      ),
    },
    { key: 'device', header: 'Device', className: 'whitespace-nowrap', cell: ({ device }) => device },
    {
      key: 'address',
      header: 'Address',
      sortable: true,
      cell: ({ address }) => <span className="font-mono whitespace-nowrap">{address}</span>,
    },
    {
      key: 'methods',
      header: 'Signed in by',
      cell: ({ methods }) => <span className="whitespace-nowrap">{methodWords(methods)}</span>,
    },
    {
      key: 'first',
      header: 'First use',
      numeric: true,
      sortable: true,
      cell: ({ createdAt }) => <Time at={createdAt} />,
    },
    {
      key: 'last',
      header: 'Last use',
      numeric: true,
      sortable: true,
      cell: ({ lastUsedAt }) => <RelativeTime at={lastUsedAt} />,
    },
    {
      key: 'end',
      header: <span className="sr-only">End</span>,
      className: 'text-right',
      cell: (session) =>
        session.id === mine ? (
          <Status kind="ok">This one</Status>
        ) : onEnd ? (
          <Button
            size="small"
            aria-label={`End the session of ${session.email}, ${session.device} at ${session.address}`}
            onClick={() => onEnd(session)}
          >
            End
          </Button>
        ) : null,
    },
  ]
}

/** One locale for the server's HTML and every browser. */
const { compare } = new Intl.Collator('en', { numeric: true })

const orders: Record<string, (a: UserSession, b: UserSession) => number> = {
  user: (a, b) => compare(a.email, b.email),
  address: (a, b) => compare(a.address, b.address),
  first: (a, b) => a.createdAt - b.createdAt,
  last: byLastUse,
}

function byLastUse(a: UserSession, b: UserSession): number {
  return a.lastUsedAt - b.lastUsedAt
}

/** Sessions in the asked order; equal ones with the latest used first. */
export function sorted(sessions: readonly UserSession[], { by, direction }: Sort): UserSession[] {
  const order = (Object.hasOwn(orders, by) && orders[by]) || byLastUse
  const sign = direction === 'desc' ? -1 : 1
  return [...sessions].sort((a, b) => sign * order(a, b) || byLastUse(b, a))
}
