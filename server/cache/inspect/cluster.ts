import { textOf } from './asking'
import { numberIn, readLines } from './info'
import type { NodesReport } from './types'

const SLOTS = 16_384

export interface ClusterNode {
  address: string
  primary: boolean
  /** Null while the cluster takes it for well; `suspected` by the node that was asked, `failed` for most of them. */
  failure: 'suspected' | 'failed' | null
  slots: { from: number; to: number }[]
}

/** The lines of CLUSTER NODES: `id host:port@bus[,name] flags primary … state slot slot`. */
export function readClusterNodes(answer: unknown): ClusterNode[] {
  const lines = (textOf(answer) ?? '').split('\n').filter((line) => line.trim() !== '')
  return lines.flatMap((line) => {
    const [, place = '', flagText = '', , , , , , ...ranges] = line.trim().split(' ')
    const address = /^(.+:\d+)@/.exec(place)?.[1] ?? place.split(',')[0] ?? place
    const flags = flagText.split(',')
    if (flags.includes('handshake') || flags.includes('noaddr')) return []
    return {
      address,
      primary: flags.includes('master'),
      failure: flags.includes('fail') ? 'failed' : flags.includes('fail?') ? 'suspected' : null,
      // In brackets stand slots on their way to another node.
      slots: ranges.filter((range) => !range.startsWith('[')).map(readRange),
    } satisfies ClusterNode
  })
}

/** The cluster's word for itself, and what is wrong with it. */
export function clusterReport(info: unknown, nodes: ClusterNode[]): NonNullable<NodesReport['cluster']> {
  const lines = readLines(info)
  const failed = nodes
    .filter((node) => node.failure)
    .map(
      ({ address, primary, failure }) => `The ${primary ? 'primary' : 'replica'} ${address} is ${failure}.`,
    )
  const uncovered = gaps(nodes).map(({ from, to }) =>
    from === to ? `Slot ${from} has no primary.` : `Slots ${from} to ${to} have no primary.`,
  )
  return {
    state: lines.get('cluster_state') ?? 'unknown',
    slotsCovered: numberIn(lines, 'cluster_slots_ok') ?? 0,
    epoch: numberIn(lines, 'cluster_current_epoch') ?? 0,
    failing: [...failed, ...uncovered],
  }
}

function gaps(nodes: ClusterNode[]): { from: number; to: number }[] {
  const ranges = nodes.flatMap((node) => (node.primary ? node.slots : [])).sort((a, b) => a.from - b.from)
  const missing: { from: number; to: number }[] = []
  let next = 0
  for (const { from, to } of ranges) {
    if (from > next) missing.push({ from: next, to: from - 1 })
    next = Math.max(next, to + 1)
  }
  if (next < SLOTS) missing.push({ from: next, to: SLOTS - 1 })
  return missing
}

function readRange(range: string): { from: number; to: number } {
  const [from, to] = range.split('-').map(Number)
  return { from: from as number, to: to ?? (from as number) }
}
