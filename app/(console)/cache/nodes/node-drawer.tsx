import type { NodeFacts } from '@/components/cache/types'
import { Callout } from '@/components/ui/callout'
import { Drawer } from '@/components/ui/drawer'
import { Empty } from '@/components/ui/empty'
import { Figure } from '@/components/ui/figure'
import { formatBytes, formatDuration, formatNumber, formatShare, type Reading } from '@/components/ui/format'
import { Status } from '@/components/ui/status'
import { KeyValue, type KeyValueItem, Mono } from '@/components/ui/text'
import { factor, memoryOf, replicationOf, Said } from './node-table'
import { roleOf } from './order'

export type NodeDrawerProps = {
  /** The one that is open; null for none. */
  address: string | null
  /** Undefined where no node has that address. */
  node: NodeFacts | undefined
  onClose: () => void
}

/** Everything that one node tells. */
export function NodeDrawer({ address, node, onClose }: NodeDrawerProps) {
  return (
    <Drawer
      open={address !== null}
      onClose={onClose}
      title={`Node ${address}`}
      subtitle={node ? <Status kind={roleOf(node).kind}>{roleOf(node).word}</Status> : undefined}
    >
      {node === undefined ? (
        <Empty kind="no-match" title="No node has this address">
          It has left, or another took its place.
        </Empty>
      ) : node.error === null ? (
        <KeyValue items={itemsOf(node)} />
      ) : (
        <Callout tone="bad" title="It does not answer">
          {node.error}
        </Callout>
      )}
    </Drawer>
  )
}

function itemsOf(node: NodeFacts): KeyValueItem[] {
  const { hits, misses } = node
  const asked = (hits ?? 0) + (misses ?? 0)
  const item = (label: string, value: number | null, format: (value: Reading) => string = formatNumber) => ({
    label,
    value: <Figure value={value ?? undefined} format={format} />,
  })
  return [
    { label: 'Version', value: <Said>{node.version}</Said> },
    item('Up for', node.uptimeSeconds === null ? null : node.uptimeSeconds * 1000, formatDuration),
    { label: 'Memory', value: <Said>{memoryOf(node)}</Said> },
    item('Most memory ever', node.peakBytes, formatBytes),
    item('Memory of the process', node.rssBytes, formatBytes),
    item('Fragmentation', node.fragmentation, factor),
    { label: 'When memory is full', value: node.policy ? <Mono>{node.policy}</Mono> : <Said>{null}</Said> },
    item('Keys', node.keys),
    item('Clients', node.clients),
    item('Of them blocked', node.blockedClients),
    item('Operations per second', node.operationsPerSecond),
    item('Hits', hits),
    item('Misses', misses),
    item('Hit ratio', hits === null || asked === 0 ? null : hits / asked, formatShare),
    item('Keys pushed out', node.evictedKeys),
    item('Keys expired', node.expiredKeys),
    ...(node.primary ? [{ label: 'Primary', value: <Mono>{node.primary}</Mono> }] : []),
    { label: 'Replication', value: <Said>{replicationOf(node)}</Said> },
    ...(node.slots.length > 0
      ? [
          {
            label: 'Slots',
            value: node.slots.map(({ from, to }) => (from === to ? `${from}` : `${from}–${to}`)).join(', '),
          },
        ]
      : []),
  ]
}
