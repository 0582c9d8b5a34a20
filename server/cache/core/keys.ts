import { HoldfastError } from '@/server/errors'

const NAMESPACE = /^[a-z][a-z0-9-]{0,39}$/
const LONGEST = 512

/** Throws BAD_INPUT for a name that isn't a namespace's. */
export function checkNamespace(name: string): void {
  if (NAMESPACE.test(name)) return
  throw new HoldfastError('BAD_INPUT', {
    message: `"${name.slice(0, 60)}" can't be a cache namespace.`,
    remedy: 'Use 1 to 40 small letters, digits and dashes, a letter first.',
  })
}

/** Throws BAD_INPUT for a key, or a tag, that is empty, too long, or holds control characters. */
export function checkKey(key: string, what = 'key'): void {
  if (key.length > 0 && key.length <= LONGEST / 4 && isPlain(key)) return
  if (key.length === 0) throw new HoldfastError('BAD_INPUT', `A cache ${what} can't be empty.`)
  const bytes = Buffer.byteLength(key)
  if (bytes > LONGEST) {
    throw new HoldfastError('BAD_INPUT', {
      message: `The cache ${what} has ${bytes} bytes; ${LONGEST} are the most.`,
      remedy: 'Use a shorter one, such as a hash of it.',
    })
  }
  if (!isPlain(key)) throw new HoldfastError('BAD_INPUT', `A cache ${what} can't hold control characters.`)
}

function isPlain(key: string): boolean {
  for (let at = 0; at < key.length; at++) {
    const code = key.charCodeAt(at)
    if (code < 32 || code === 127) return false
  }
  return true
}

/** Throws BAD_INPUT for times that are none. Milliseconds. */
export function checkTimes({ ttl, stale = 0 }: { ttl: number; stale?: number | undefined }): void {
  if (Number.isFinite(ttl) && ttl > 0 && Number.isFinite(stale) && stale >= 0) return
  throw new HoldfastError(
    'BAD_INPUT',
    'The time to live must be above zero, and the time for stale values not below.',
  )
}

/** The lock of one computation: in the slot of its key. */
export const lockKey = (prefix: string, whole: string) => `#lock:{${prefix}${whole}}`

export const tagKey = (namespace: string, tag: string) => `#tag:${namespace}:${tag}`
