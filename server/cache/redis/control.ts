import type { Redis } from 'ioredis'
import { HoldfastError } from '@/server/errors'
import { accessOf, addressText, drop, makeClient, parseAddress, parseInfo } from './connect'
import type { Group } from './group'
import { LateError, reasonOf } from './reasons'
import type { RedisControl } from './types'

const DEADLINE = 2_000

type Command = (string | number | Buffer)[]

type Node = Awaited<ReturnType<RedisControl['nodes']>>[number]

interface Opened {
  client: Redis
  ready: Promise<void>
}

/** Questions for single nodes, over connections that are opened when first asked. `close` ends them. */
export function openControl(
  { group, reason }: { group: Group; reason: () => string | null },
  mode: RedisControl['mode'],
): { control: RedisControl; close: () => void } {
  const opened = new Map<string, Opened>()
  const access = accessOf(group.place)

  function forget(address: string, client: Redis): void {
    if (opened.get(address)?.client === client) opened.delete(address)
  }

  function connection(address: string): Opened {
    const known = opened.get(address)
    if (known) return known
    let told: Error | undefined
    const client = makeClient(parseAddress(address), access, (error) => (told ??= error), {
      connectTimeout: DEADLINE,
      retryStrategy: () => null,
    })
    const ready = client.connect().catch((error: unknown) => {
      throw told ?? error
    })
    ready.catch(() => undefined)
    client.on('close', () => forget(address, client))
    opened.set(address, { client, ready })
    return { client, ready }
  }

  async function askAll(address: string, commands: Command[]): Promise<(unknown | Error)[]> {
    const { client, ready } = connection(address)
    const work = async () => {
      await ready
      const answers = commands.map(([name, ...args]) => client.callBuffer(String(name), ...args))
      return Promise.all(answers.map((answer) => answer.catch((error: Error) => replyError(error))))
    }
    try {
      return await within(work())
    } catch (error) {
      // An answer that comes late belongs to nobody, and the next question shall not wait behind it.
      forget(address, client)
      drop(client)
      throw unavailable(address, reasonOf(error), error)
    }
  }

  async function ask(address: string, command: string, ...args: Command): Promise<unknown> {
    const [answer] = await askAll(address, [[command, ...args]])
    if (answer instanceof Error) throw answer
    return answer
  }

  /** A node and its replicas; itself alone while it doesn't tell of them. */
  async function withReplicas(address: string): Promise<Node[]> {
    const info = parseInfo(await ask(address, 'INFO', 'replication').catch(() => ''))
    const replicas = Object.entries(info).flatMap(([field, value]): Node[] => {
      const [, host, port] = (/^slave\d+$/.test(field) && /ip=([^,]+),port=(\d+)/.exec(value)) || []
      return host ? [{ address: addressText({ host, port: Number(port) }), role: 'replica' }] : []
    })
    return [{ address, role: info.role === 'slave' ? 'replica' : 'primary' }, ...replicas]
  }

  const control: RedisControl = {
    mode,
    ask,
    askAll,
    async nodes(which) {
      const { shards } = group
      const [only] = shards
      if (!only) throw unavailable('Redis', reason() ?? 'Nothing of it answers.')
      if (mode !== 'cluster') {
        const address = addressText(only.address)
        return which === 'all' ? withReplicas(address) : [{ address, role: 'primary' }]
      }
      return shards.flatMap(({ address, replicas }) => [
        { address: addressText(address), role: 'primary' as const },
        ...(which === 'all'
          ? replicas.map((replica) => ({ address: addressText(replica), role: 'replica' as const }))
          : []),
      ])
    },
    async masterOf(key) {
      const owner = group.owner(key)
      if (!owner) throw unavailable('Redis', reason() ?? 'No node has this key now.')
      return owner.name
    },
  }
  return {
    control,
    close: () => {
      const clients = [...opened.values()].map(({ client }) => client)
      opened.clear()
      for (const client of clients) drop(client)
    },
  }
}

function replyError(error: Error): Error {
  if (error.name !== 'ReplyError') throw error
  return error
}

function unavailable(who: string, reason: string, cause?: unknown): HoldfastError {
  return new HoldfastError(
    'CACHE_UNAVAILABLE',
    {
      message: `${who} did not answer: ${reason}`,
      remedy: 'Look whether Redis runs and can be reached from the console, and try again.',
    },
    { cause },
  )
}

async function within<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new LateError()), DEADLINE)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
    work.catch(() => undefined)
  }
}
