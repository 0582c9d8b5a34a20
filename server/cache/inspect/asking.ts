import { HoldfastError, isHoldfastError } from '@/server/errors'
import type { RedisControl } from '../redis/types'

/** A word of a command. */
export type Word = string | number | Buffer

/** The nodes. Throws CACHE_UNAVAILABLE when no Redis is configured. */
export function nodesOf(control: () => RedisControl | null): RedisControl {
  const found = control()
  if (found) return found
  throw new HoldfastError('CACHE_UNAVAILABLE', {
    message: 'No Redis is configured: the cache lives in this process.',
    remedy: 'Set REDIS_HOST, or REDIS_CLUSTER_ENABLED and REDIS_CLUSTER_NODES, and restart.',
  })
}

/** Asks one node. Throws CACHE_UNAVAILABLE for what it refuses, naming the right that is missing where one is. */
export async function ask(
  control: RedisControl,
  address: string,
  command: string,
  ...args: Word[]
): Promise<unknown> {
  try {
    return sure(await control.ask(address, command, ...args), command)
  } catch (error) {
    throw asRefusal(error, command)
  }
}

/** Asks one node several things at once; what it refused stands in its place as an error. */
export async function askAll(
  control: RedisControl,
  address: string,
  commands: Word[][],
): Promise<(unknown | Error)[]> {
  if (commands.length === 0) return []
  try {
    return await control.askAll(address, commands)
  } catch (error) {
    throw asRefusal(error, String(commands[0]?.[0]))
  }
}

/** The answer, or the refusal thrown. */
export function sure(answer: unknown | Error, command: string): unknown {
  if (answer instanceof Error) throw asRefusal(answer, command)
  return answer
}

/** Whether the user lacks the right to run a command. */
export function isForbidden(answer: unknown): answer is Error {
  return answer instanceof Error && /\bNOPERM\b/.test(answer.message)
}

/** The command that the user may not run, such as `config|get`; undefined where a key is what is forbidden. */
export function forbiddenCommand(answer: unknown): string | undefined {
  return isForbidden(answer) ? /the '([^']+)' command/.exec(answer.message)?.[1] : undefined
}

/** What Redis refused, in words that may be shown. */
export function asRefusal(error: unknown, command: string): HoldfastError {
  if (!isForbidden(error)) {
    if (isHoldfastError(error)) return error
    const message = error instanceof Error ? error.message : String(error)
    return new HoldfastError('CACHE_UNAVAILABLE', `Redis refused ${command}: ${message}`, { cause: error })
  }
  const named = forbiddenCommand(error)
  if (!named) {
    return new HoldfastError(
      'CACHE_UNAVAILABLE',
      {
        message: `The Redis user may not use a key or channel that ${command} asks for.`,
        remedy: 'Give the Redis user this key: ACL SETUSER <user> ~<pattern>.',
      },
      { cause: error },
    )
  }
  return new HoldfastError(
    'CACHE_UNAVAILABLE',
    {
      message: `The Redis user may not run ${named.replace('|', ' ').toUpperCase()}.`,
      remedy: `Grant it: ACL SETUSER <user> +${named.toLowerCase()}.`,
    },
    { cause: error },
  )
}

/** A bulk string, status or number as text; null for nil and errors. */
export function textOf(answer: unknown): string | null {
  if (answer === null || answer === undefined || answer instanceof Error) return null
  return Buffer.isBuffer(answer) ? answer.toString() : String(answer)
}

/** A number; null for nil, errors and what isn't one. */
export function numberOf(answer: unknown): number | null {
  const text = textOf(answer)
  if (text === null || text.trim() === '') return null
  const number = Number(text)
  return Number.isFinite(number) ? number : null
}

/** The elements of an array; none for anything else. */
export function listOf(answer: unknown): unknown[] {
  return Array.isArray(answer) ? answer : []
}

/** The bytes of a bulk string. */
export function bytesOf(answer: unknown): Buffer {
  return Buffer.isBuffer(answer) ? answer : Buffer.from(String(answer ?? ''))
}

/** Name and value, name and value: flat as RESP2 answers them, or in pairs as ioredis makes of some commands. */
export function pairsOf(answer: unknown): [Buffer, Buffer][] {
  const flat = listOf(answer).flat(1)
  const pairs: [Buffer, Buffer][] = []
  for (let at = 0; at + 1 < flat.length; at += 2) pairs.push([bytesOf(flat[at]), bytesOf(flat[at + 1])])
  return pairs
}
