'use client'

import { useQuery } from '@tanstack/react-query'
import { byArea, roleWords, verbWords } from '@/components/security/words'
import { useTRPC } from '@/components/trpc/trpc'
import { ErrorTile } from '@/components/ui/error-tile'
import { Skeleton } from '@/components/ui/skeleton'
import { type Column, Table } from '@/components/ui/table'
import { Section } from '@/components/ui/text'
import type { RouterOutputs } from '@/server/routers/_app'

type RoleEntry = RouterOutputs['security']['roles'][number]

interface Row {
  area: string
  name: string
  /** `Read, operate`, by role. */
  may: Record<string, string>
}

/** What each role may do in each area, as the console itself checks it. */
export function RightsSection() {
  const trpc = useTRPC()
  const roles = useQuery(trpc.security.roles.queryOptions())
  return (
    <Section title="What each role may do">
      {roles.data ? (
        <>
          <Table
            caption="Rights by area and role"
            columns={columnsOf(roles.data)}
            rows={rowsOf(roles.data)}
            rowKey={({ area }) => area}
          />
          <p className="mt-2 max-w-prose text-muted">
            {Object.values(verbWords)
              .map(({ name, does }) => `${name} ${does}`)
              .join('; ')}
            . Everybody has the own account besides.
          </p>
        </>
      ) : roles.isPending ? (
        <Skeleton className="h-48 w-full" label="Reading the roles" />
      ) : (
        <ErrorTile error={roles.error} what="Roles" onRetry={() => roles.refetch()} />
      )}
    </Section>
  )
}

function columnsOf(roles: readonly RoleEntry[]): Column<Row>[] {
  return [
    { key: 'area', header: 'Area', rowHeader: true, cell: ({ name }) => name },
    ...roles.map(({ role }) => ({
      key: role,
      header: roleWords[role].name,
      cell: ({ may }: Row) => may[role] ?? <span className="text-muted">nothing</span>,
    })),
  ]
}

function rowsOf(roles: readonly RoleEntry[]): Row[] {
  const rows = new Map<string, Row>()
  for (const { role, permissions } of roles) {
    for (const { area, name, rights } of byArea(permissions)) {
      const row = rows.get(area) ?? { area, name, may: {} }
      const words = rights.map(({ verb }) => verb).join(', ')
      row.may[role] = `${words[0]?.toUpperCase()}${words.slice(1)}`
      rows.set(area, row)
    }
  }
  return [...rows.values()]
}
