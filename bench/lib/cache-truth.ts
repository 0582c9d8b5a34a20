/** Milliseconds after an invalidate call returned in which another instance may still answer the former value. */
const GRACE = 50
/** Invalidations of one key that are remembered: a read looks at those of the last second or so. */
const REMEMBERED = 8

interface Invalidated {
  version: number
  /** performance.now() when the call returned. */
  at: number
}

/** What the source says, and which versions no reader may see any more. */
export class Truth {
  readonly #versions: Uint32Array
  readonly #invalidated = new Map<number, Invalidated[]>()
  readonly #writing = new Map<number, Promise<void>>()
  stale = 0
  /** Examples of stale reads, to be looked into. */
  readonly examples: string[] = []

  constructor(keys: number) {
    this.#versions = new Uint32Array(keys)
  }

  /** The version that the source has now. */
  now(key: number): number {
    return this.#versions[key] as number
  }

  /** Writes of one key follow each other, as transactions of a database would. */
  async write(key: number, tell: (version: number) => Promise<void>): Promise<void> {
    const before = this.#writing.get(key) ?? Promise.resolve()
    const mine = before.then(async () => {
      const version = this.now(key) + 1
      this.#versions[key] = version
      await tell(version)
    })
    this.#writing.set(key, mine)
    await mine
    if (this.#writing.get(key) === mine) this.#writing.delete(key)
  }

  /** An invalidate call for this version returned. */
  invalidated(key: number, version: number): void {
    const known = this.#invalidated.get(key) ?? []
    known.push({ version, at: performance.now() })
    if (known.length > REMEMBERED) known.shift()
    this.#invalidated.set(key, known)
  }

  /** Judges what a read that began at `begun` answered. */
  read(key: number, version: number, begun: number): void {
    const least = this.#invalidated.get(key)?.findLast(({ at }) => at <= begun - GRACE)
    if (!least || version >= least.version) return
    this.stale++
    if (this.examples.length >= 5) return
    const late = Math.round(begun - least.at)
    this.examples.push(`key ${key}: version ${version}, ${late} ms after ${least.version} was invalidated`)
  }
}
