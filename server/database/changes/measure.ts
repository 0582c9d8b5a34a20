import type { Store } from '@/db/store'
import type { Clock } from '@/server/clock'
import type { Reading } from './counting'
import type { Source } from './source'
import type { MeasuredTime } from './types'
import { noteMeasured, type Row, readUnmeasured } from './units'

interface Deps {
  store: Store
  clock: Clock
  database: () => Source
  instance: string
}

/** Counters are read this often while an index is measured. */
const READ_MS = 15_000

/** Tells what indexes do to their statements, from the counters before and after. */
export class Measuring {
  readonly #deps: Deps
  #readAt = Number.NEGATIVE_INFINITY

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** The time of statements so far; null where none of them is counted. */
  async before(fingerprints: readonly string[]): Promise<MeasuredTime | null> {
    if (fingerprints.length === 0) return null
    const { reading, since } = await this.#read(fingerprints)
    const to = this.#deps.clock.now()
    const { calls, totalMs } = reading
    return calls === 0 ? null : { calls, meanMs: totalMs / calls, from: since ?? to, to }
  }

  /** Adds what was counted since the last reading to one change; its first reading begins the count. */
  async note({ id, fingerprints }: Pick<Row, 'id' | 'fingerprints'>): Promise<void> {
    if (fingerprints.length === 0) return
    const { store, clock } = this.#deps
    const { reading, writer } = await this.#read(fingerprints)
    await store.run(noteMeasured, { id, merge: { writer, reading, now: clock.now() } })
  }

  /** Sees to all changes that are not measured yet. */
  async tick(): Promise<void> {
    const { store, clock, database } = this.#deps
    const now = clock.now()
    if (now - this.#readAt < READ_MS) return
    this.#readAt = now
    for (const row of await readUnmeasured(store, { dialect: database().dialect, now })) await this.note(row)
  }

  /** Counters of the server are one for all instances; own samples each instance has for itself. */
  async #read(fingerprints: readonly string[]) {
    const { source, since, statements } = await this.#deps.database().inspect.statements()
    const asked = statements.filter(({ fingerprint }) => fingerprints.includes(fingerprint))
    const reading: Reading = {
      calls: asked.reduce((sum, { calls }) => sum + calls, 0),
      totalMs: asked.reduce((sum, { totalMs }) => sum + totalMs, 0),
    }
    return { reading, since, writer: source === 'own' ? this.#deps.instance : 'server' }
  }
}
