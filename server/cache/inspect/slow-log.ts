import type { Clock } from '@/server/clock'
import type { RedisControl } from '../redis/types'
import { ask, askAll, asRefusal, bytesOf, listOf, numberOf, pairsOf, sure, textOf } from './asking'
import { hideValues } from './slow-arguments'
import type { SlowCommand, SlowLogReport } from './types'

const PER_NODE = 128

interface NodeLog {
  commands: SlowCommand[]
  threshold: number | null
  length: number | null
}

/**
 * The slow commands of all nodes that answer, newest first; values of writes are hidden. The settings are null where
 * CONFIG is forbidden. Throws CACHE_UNAVAILABLE when no node answers, or SLOWLOG is forbidden.
 */
export async function readSlowLog({
  control,
  clock,
}: {
  control: RedisControl
  clock: Clock
}): Promise<SlowLogReport> {
  const nodes = await control.nodes('all')
  const asked = await Promise.allSettled(nodes.map(({ address }) => readNode(control, address)))
  const logs = asked.flatMap((log) => (log.status === 'fulfilled' ? [log.value] : []))
  const failed = asked.find((log) => log.status === 'rejected')
  if (logs.length === 0 && failed) throw failed.reason
  return {
    commands: logs.flatMap((log) => log.commands).sort((a, b) => b.at - a.at || b.id - a.id),
    threshold: logs.find((log) => log.threshold !== null)?.threshold ?? null,
    length: logs.find((log) => log.length !== null)?.length ?? null,
    at: clock.now(),
  }
}

/** Empties the slow log of every node. Throws CACHE_UNAVAILABLE for the first that didn't, after asking all. */
export async function resetSlowLog(control: RedisControl): Promise<void> {
  const nodes = await control.nodes('all')
  const asked = await Promise.allSettled(
    nodes.map(({ address }) => ask(control, address, 'SLOWLOG', 'RESET')),
  )
  const failed = asked.find((answer) => answer.status === 'rejected')
  if (failed) throw asRefusal(failed.reason, 'SLOWLOG')
}

async function readNode(control: RedisControl, node: string): Promise<NodeLog> {
  const [log, settings] = await askAll(control, node, [
    ['SLOWLOG', 'GET', PER_NODE],
    ['CONFIG', 'GET', 'slowlog-*'],
  ])
  const config = new Map(pairsOf(settings).map(([name, value]) => [name.toString(), value]))
  return {
    commands: listOf(sure(log, 'SLOWLOG')).map((entry) => readCommand(node, listOf(entry))),
    threshold: numberOf(config.get('slowlog-log-slower-than')),
    length: numberOf(config.get('slowlog-max-len')),
  }
}

/** `id, seconds, microseconds, [words], client, its name`. */
function readCommand(node: string, entry: unknown[]): SlowCommand {
  const [id, seconds, took, words, client] = entry
  const address = textOf(client)
  return {
    node,
    id: numberOf(id) ?? 0,
    at: (numberOf(seconds) ?? 0) * 1_000,
    took: numberOf(took) ?? 0,
    command: hideValues(listOf(words).map(bytesOf)),
    // What a script calls has no client: `?:0`.
    client: address === '?:0' ? null : address || null,
  }
}
