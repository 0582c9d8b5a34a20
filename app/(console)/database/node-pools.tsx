'use client'

import { useQuery } from '@tanstack/react-query'
import { nodeColumns } from '@/components/database/node-columns'
import { nodeName, ROLES } from '@/components/database/node-words'
import type { NodeFigures } from '@/components/database/types'
import { useTRPC } from '@/components/trpc/trpc'
import { ErrorTile } from '@/components/ui/error-tile'
import { formatNumber } from '@/components/ui/format'
import { Link } from '@/components/ui/link'
import { plainLink } from '@/components/ui/plain-link'
import { type Column, Table } from '@/components/ui/table'
import { Section } from '@/components/ui/text'

/** The pool of every node, where there are several. */
export function NodePools() {
  const trpc = useTRPC()
  const { data, error, refetch } = useQuery(
    trpc.database.topology.queryOptions(undefined, { refetchInterval: 5_000 }),
  )
  if (error && !data)
    return <ErrorTile error={error} what="Pools of the nodes" onRetry={() => void refetch()} />
  if (!data || data.nodes.length < 2) return null
  return (
    <Section
      title="Pools of the nodes"
      actions={
        <Link href="/database/replicas" className={plainLink}>
          Roles and lag
        </Link>
      }
    >
      <Table<NodeFigures>
        caption="Pools of the nodes"
        columns={columns}
        rows={data.nodes}
        rowKey={nodeName}
        rowTone={({ role }) => ROLES[role].tone}
      />
    </Section>
  )
}

const columns: Column<NodeFigures>[] = [
  ...nodeColumns,
  figure('inUse', 'In use', ({ pool }) => pool.inUse),
  figure('idle', 'Idle', ({ pool }) => pool.idle),
  figure('waiting', 'Waiting', ({ pool }) => pool.waiting),
  figure('max', 'At most', ({ pool }) => pool.max),
  figure('reads', 'Reads', ({ reads }) => reads),
  figure('writes', 'Writes', ({ writes }) => writes),
  figure('queries', 'Statements', ({ queries }) => queries),
  figure('errors', 'Errors', ({ errors }) => errors),
]

function figure(key: string, header: string, value: (node: NodeFigures) => number): Column<NodeFigures> {
  return { key, header, numeric: true, cell: (node) => formatNumber(value(node)) }
}
