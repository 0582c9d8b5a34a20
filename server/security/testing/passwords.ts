import { openPasswords, type Passwords } from '../passwords/passwords'

const real = openPasswords()
const hashes = new Map<string, Promise<string>>()
const verdicts = new Map<string, Promise<boolean>>()

/**
 * Real hashes, each made and compared once in this process: tests sign in by the same few passwords again and again,
 * and hashing was a quarter of their time.
 */
export const rememberedPasswords: Passwords = {
  hash: (password) => remembered(hashes, password, () => real.hash(password)),
  verify: (hash, password) => remembered(verdicts, `${hash} ${password}`, () => real.verify(hash, password)),
}

function remembered<T>(known: Map<string, Promise<T>>, name: string, make: () => Promise<T>): Promise<T> {
  const made = known.get(name) ?? make()
  known.set(name, made)
  // A refusal, as by a full queue, is of that moment.
  made.catch(() => known.delete(name))
  return made
}
