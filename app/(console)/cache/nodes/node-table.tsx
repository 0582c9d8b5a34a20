'use client'

import type { NodeFacts } from '@/components/cache/types'
import { Empty } from '@/components/ui/empty'
import { Figure } from '@/components/ui/figure'
import { formatBytes, formatCount, formatNumber, MISSING } from '@/components/ui/format'
import { Status } from '@/components/ui/status'
import { type Column, Table } from '@/components/ui/table'
import { Mono } from '@/components/ui/text'
import { useDrawer } from '@/components/ui/url-state'
import { NodeDrawer } from './node-drawer'
import { ordered, roleOf } from './order'

/** Every node, those that fail first; a row opens the rest of what it tells. */
export function NodeTable({ nodes }: { nodes: readonly NodeFacts[] }) {
  const drawer = useDrawer('node')
  return (
    <>
      <Table<NodeFacts>
        caption="Nodes of Redis"
        density="roomy"
        columns={columns}
        rows={ordered(nodes)}
        rowKey={({ address }) => address}
        rowTone={(node) => roleOf(node).tone}
        onOpen={({ address }) => drawer.open(address)}
        selected={drawer.id ?? undefined}
        empty={<Empty kind="no-data" title="No node is known" />}
      />
      <NodeDrawer
        address={drawer.id}
        node={nodes.find(({ address }) => address === drawer.id)}
        onClose={drawer.close}
      />
    </>
  )
}

const columns: Column<NodeFacts>[] = [
  {
    key: 'address',
    header: 'Node',
    rowHeader: true,
    className: 'whitespace-nowrap',
    cell: ({ address }) => <Mono>{address}</Mono>,
  },
  {
    key: 'role',
    header: 'Role',
    className: 'whitespace-nowrap',
    cell: (node) => <Status kind={roleOf(node).kind}>{roleOf(node).word}</Status>,
  },
  { key: 'version', header: 'Version', cell: ({ version }) => <Said>{version}</Said> },
  { key: 'memory', header: 'Memory', numeric: true, cell: (node) => <Said>{memoryOf(node)}</Said> },
  figure('fragmentation', 'Fragmentation', ({ fragmentation }) => fragmentation, factor),
  figure('clients', 'Clients', ({ clients }) => clients),
  figure('operations', 'Operations/s', ({ operationsPerSecond }) => operationsPerSecond),
  figure('hits', 'Hits', ({ hits }) => hits),
  figure('evicted', 'Evicted', ({ evictedKeys }) => evictedKeys),
  {
    key: 'replication',
    header: 'Replication',
    className: 'whitespace-nowrap',
    cell: (node) => <Said>{replicationOf(node)}</Said>,
  },
]

function figure(
  key: string,
  header: string,
  value: (node: NodeFacts) => number | null,
  format: (value: number | null | undefined) => string = formatNumber,
): Column<NodeFacts> {
  return {
    key,
    header,
    numeric: true,
    // What a node that doesn't answer would say is missing, not absent.
    cell: (node) => <Figure value={value(node) ?? undefined} format={format} />,
  }
}

/** A word of the node, or the sign that there is none. */
export function Said({ children }: { children: string | null }) {
  return children === null ? <span className="text-muted">{MISSING}</span> : children
}

export function factor(value: number | null | undefined): string {
  return typeof value === 'number' ? `${formatNumber(value, 2)}×` : MISSING
}

export function memoryOf({ usedBytes, maxBytes }: NodeFacts): string | null {
  if (usedBytes === null) return null
  return maxBytes ? `${formatBytes(usedBytes)} of ${formatBytes(maxBytes)}` : formatBytes(usedBytes)
}

/** How a replica stands to its primary, or how many a primary has. */
export function replicationOf({ role, replicas, linked, behindBytes }: NodeFacts): string | null {
  if (role === 'primary')
    return replicas === null ? null : replicas === 0 ? 'no replica' : formatCount(replicas, 'replica')
  if (role === null) return null
  if (linked === false) return 'cut off from its primary'
  if (behindBytes === null) return null
  return behindBytes === 0 ? 'nothing behind' : `${formatBytes(behindBytes)} behind`
}
