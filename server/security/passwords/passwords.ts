import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { hash as argon2, verify as argon2Verify } from '@node-rs/argon2'
import { HoldfastError } from '@/server/errors'

/** OWASP Password Storage Cheat Sheet: argon2id with 19 MiB, 2 passes, 1 lane. 2 is the id of argon2id. */
const cost = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** NIST SP 800-63B-4, 3.1.1.2: a password that is the only factor has at least 15 characters. */
export const passwordLength = { least: 15, most: 256 }

export interface Passwords {
  /** Hashes a password for the store. */
  hash(password: string): Promise<string>
  /** Compares a password. Without a hash (an unknown user) it takes as long, and answers false. */
  verify(hash: string | null, password: string): Promise<boolean>
}

/**
 * Opens argon2id hashing, of which at most `parallel` run at once: each takes tens of milliseconds of a core and
 * 19 MiB. Beyond `queue` waiting calls it refuses with TOO_MANY_REQUESTS.
 */
export function openPasswords({
  parallel = Math.max(1, availableParallelism() - 1),
  queue = 200,
} = {}): Passwords {
  const gate = openGate(parallel, queue)
  let nobody: Promise<string> | undefined
  return {
    hash: (password) => gate(() => argon2(normalised(password), cost)),
    async verify(hash, password) {
      nobody ??= argon2(randomBytes(32), cost)
      const against = hash ?? (await nobody)
      const matches = await gate(() => argon2Verify(against, normalised(password)))
      return hash !== null && matches
    },
  }
}

/** NIST SP 800-63B-4, 3.1.1.2: the same text typed on another keyboard is the same password. */
function normalised(password: string): string {
  return password.normalize('NFKC')
}

type Gate = <T>(work: () => Promise<T>) => Promise<T>

function openGate(parallel: number, queue: number): Gate {
  const waiting: (() => void)[] = []
  let running = 0
  return async (work) => {
    if (running >= parallel) {
      if (waiting.length >= queue) {
        throw new HoldfastError('TOO_MANY_REQUESTS', {
          message: 'Too many people sign in at this moment.',
          remedy: 'Try again in a few seconds.',
          retryAfterMs: 5_000,
        })
      }
      await new Promise<void>((resolve) => waiting.push(resolve))
    } else running++
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else running--
    }
  }
}
