import type { Clock } from '@/server/clock'
import type { RedisControl } from '../redis/types'
import { asRefusal, numberOf, sure, type Word } from './asking'
import { type ClusterNode, clusterReport, readClusterNodes } from './cluster'
import { factsFromInfo, numberIn, readLines, silentNode } from './info'
import type { NodeFacts, NodesReport } from './types'

interface Told {
  facts: NodeFacts
  info: Map<string, string>
  clusterInfo: unknown
  cluster: ClusterNode[]
}

/** What every node tells of itself; one that doesn't answer, or may not be asked, is listed with the reason. */
export async function readNodes({
  control,
  clock,
}: {
  control: RedisControl
  clock: Clock
}): Promise<NodesReport> {
  const { mode } = control
  const known = await control.nodes('all')
  const told = await Promise.all(known.map(({ address }) => askNode(control, address)))
  const witness = told.find(isWitness) ?? told.find(({ cluster }) => cluster.length > 0)
  const nodes = told.map(({ facts, info }) => ({
    ...facts,
    behindBytes: behind(facts, info, told),
    slots: witness?.cluster.find((node) => node.address === facts.address)?.slots ?? [],
  }))
  const unheard = (witness?.cluster ?? []).filter(
    ({ address }) => !known.some((node) => node.address === address),
  )
  for (const { address, failure } of unheard) {
    nodes.push(
      silentNode(address, `The cluster lists it${failure ? ` as ${failure}` : ''}; it was not asked.`),
    )
  }
  return {
    mode,
    nodes: nodes.sort((a, b) => (a.address < b.address ? -1 : 1)),
    cluster: mode === 'cluster' && witness ? clusterReport(witness.clusterInfo, witness.cluster) : null,
    sentinel: null,
    at: clock.now(),
  }
}

async function askNode(control: RedisControl, address: string): Promise<Told> {
  const commands: Word[][] = [['INFO'], ['DBSIZE']]
  if (control.mode === 'cluster') commands.push(['CLUSTER', 'INFO'], ['CLUSTER', 'NODES'])
  try {
    const [info, size, clusterInfo, clusterNodes] = await control.askAll(address, commands)
    const lines = readLines(sure(info, 'INFO'))
    const facts = { ...factsFromInfo(address, lines), keys: numberOf(size) }
    return { facts, info: lines, clusterInfo, cluster: readClusterNodes(clusterNodes) }
  } catch (error) {
    const { message, remedy } = asRefusal(error, 'INFO')
    const facts = silentNode(address, remedy ? `${message} ${remedy}` : message)
    return { facts, info: new Map(), clusterInfo: null, cluster: [] }
  }
}

/** The best to ask about the cluster is a primary that counts itself to it: a node that was cut off knows old things. */
function isWitness({ facts, clusterInfo }: Told): boolean {
  return facts.role === 'primary' && readLines(clusterInfo).get('cluster_state') === 'ok'
}

/** Both were asked at the same time, not at the same moment: a replica may seem ahead, which counts as level. */
function behind(facts: NodeFacts, info: Map<string, string>, told: Told[]): number | null {
  if (facts.role !== 'replica') return null
  const own = numberIn(info, 'slave_repl_offset')
  const primary = told.find(
    (other) =>
      other.facts.role === 'primary' &&
      (other.facts.address === facts.primary ||
        other.info.get('master_replid') === info.get('master_replid')),
  )
  const its = primary ? numberIn(primary.info, 'master_repl_offset') : null
  return own === null || its === null ? null : Math.max(0, its - own)
}
