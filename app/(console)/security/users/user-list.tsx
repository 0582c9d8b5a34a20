'use client'

import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useLiveEvent } from '@/components/live/live'
import type { MadeLink } from '@/components/security/shown-once'
import { useTRPC } from '@/components/trpc/trpc'
import { Button } from '@/components/ui/button'
import { Empty } from '@/components/ui/empty'
import { ErrorTile } from '@/components/ui/error-tile'
import { formatCount } from '@/components/ui/format'
import { Skeleton } from '@/components/ui/skeleton'
import { Table } from '@/components/ui/table'
import { useDrawer, useSort } from '@/components/ui/url-state'
import { passes, sorted } from './choose'
import { userColumns } from './user-columns'
import { UserDrawer } from './user-drawer'
import { UserFilterBar, useUserFilter } from './user-filter'

/** Everybody who may sign in. A row opens the user with what can be done. */
export function UserList({ manage, onLink }: { manage: boolean; onLink: (made: MadeLink) => void }) {
  const trpc = useTRPC()
  const queries = useQueryClient()
  const users = useQuery(trpc.security.users.queryOptions())
  const { data: me } = useQuery(trpc.auth.me.queryOptions())
  const { data: policy } = useQuery(trpc.security.factorPolicy.queryOptions())
  const required = policy?.requiredRoles ?? []
  const { filter, clear } = useUserFilter()
  const { sort, onSort } = useSort({ by: 'name', direction: 'asc' })
  const drawer = useDrawer('user')
  useLiveEvent('audit', () => void queries.invalidateQueries(trpc.security.users.pathFilter()))

  const { data } = users
  if (!data) {
    if (users.isPending) return <Skeleton className="h-96 w-full" label="Reading the users" />
    return <ErrorTile error={users.error} what="Users" onRetry={() => users.refetch()} />
  }
  const shown = sorted(
    data.filter((user) => passes(filter, user)),
    sort,
  )
  const all = formatCount(data.length, 'user')
  const opened = data.find(({ id }) => id === drawer.id)
  return (
    <>
      <UserFilterBar count={shown.length === data.length ? all : `${shown.length} of ${all}`} />
      <Table
        caption="Users"
        density="roomy"
        columns={userColumns(me?.userId, required)}
        rows={shown}
        rowKey={({ id }) => id}
        rowTone={({ mustChangePassword }) => (mustChangePassword ? 'warn' : undefined)}
        sort={sort}
        onSort={onSort}
        onOpen={({ id }) => drawer.open(id)}
        selected={drawer.id ?? undefined}
        empty={
          <Empty
            kind="no-match"
            title="No user fits the filter"
            action={<Button onClick={clear}>Show all users</Button>}
          />
        }
      />
      <UserDrawer
        id={drawer.id}
        user={opened}
        isMe={me?.userId === drawer.id}
        manage={manage}
        required={opened !== undefined && required.includes(opened.role)}
        onLink={onLink}
        onClose={drawer.close}
      />
    </>
  )
}
