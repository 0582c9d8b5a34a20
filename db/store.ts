import { AsyncLocalStorage } from 'node:async_hooks'
import type { Db, Dialect, StoreHandle } from './open'
import type { Tables } from './tables'
import type { Traced } from './traced'
import type { AuditKey, RequestedChange, Tx, Unit, Work } from './unit'

/** A request that shall be done once, however often it is sent. */
export interface KeyedRequest {
  requestId: string
  /** Runs at the end of a unit that made the request's change, in its transaction. Throwing rolls the change back. */
  keep(tx: Tx, output: unknown): Work<void>
  /** Told once such a unit has committed. */
  kept(output: unknown): void
}

/**
 * The store that the whole console shares. It stands before the handle so that a switchover can hold writes,
 * put another handle in its place and let them go on, without anybody noticing more than a short wait.
 */
export class Store {
  #handle: StoreHandle
  readonly #auditKey: AuditKey
  readonly #requests = new AsyncLocalStorage<KeyedRequest>()
  readonly #traced: Traced | undefined
  #running = 0
  #drained: (() => void) | undefined
  #held: Promise<void> | undefined

  /**
   * @param auditKey signs the audit events of every unit that runs here, on whichever handle.
   * @param traced gives every unit a span.
   */
  constructor(handle: StoreHandle, auditKey: AuditKey, traced?: Traced) {
    this.#traced = traced
    this.#handle = handle
    this.#auditKey = auditKey
  }

  get dialect(): Dialect {
    return this.#handle.dialect
  }

  /** Typed reads. Writes go through {@link run} alone. */
  get db(): Db {
    return this.#handle.db
  }

  /** Typed reads that a replica may answer: they show what this session wrote, and others' changes a moment later. */
  get reads(): Db {
    return this.#handle.reads
  }

  get tables(): Tables {
    return this.#handle.tables
  }

  /** Runs a unit of work in one transaction; while writes are held it waits. */
  run<I, O>(unit: Unit<I, O>, input: I): Promise<O> {
    if (!this.#traced) return this.#run(unit, input)
    const attributes = { 'holdfast.unit': unit.name }
    return this.#traced({ name: unit.name, attributes }, () => this.#run(unit, input))
  }

  async #run<I, O>(unit: Unit<I, O>, input: I): Promise<O> {
    while (this.#held) await this.#held
    this.#running++
    try {
      const request = this.#requests.getStore()
      if (!request) return await this.#handle.run(this.#signed(unit), input)
      return await this.#runKeyed(request, unit, input)
    } finally {
      if (--this.#running === 0) this.#drained?.()
    }
  }

  /** Runs a request's work: what its units change commits together with what `request` keeps of it. */
  keyed<T>(request: KeyedRequest, work: () => Promise<T>): Promise<T> {
    return this.#requests.run(request, work)
  }

  async #runKeyed<I, O>(request: KeyedRequest, { name, work }: Unit<I, O>, input: I): Promise<O> {
    let made = false
    const output = await this.#handle.run(
      this.#signed({
        name,
        *work(tx, given: I) {
          const change: RequestedChange = { requestId: request.requestId, made: false }
          const result = yield* work({ ...tx, change }, given)
          made = change.made
          if (made) yield* request.keep(tx, result)
          return result
        },
      }),
      input,
    )
    if (made) request.kept(output)
    return output
  }

  /** The same unit, with the audit key in its transaction. */
  #signed<I, O>({ name, work }: Unit<I, O>): Unit<I, O> {
    return { name, work: (tx, input) => work({ ...tx, auditKey: this.#auditKey }, input) }
  }

  /**
   * Lets running units finish, holds new ones, and calls `body` with the handle to itself. When `body` answers
   * a handle the store stands on it from then on. Held units go on afterwards, whatever happened.
   */
  async exclusively(body: (current: StoreHandle) => Promise<StoreHandle | undefined>): Promise<void> {
    while (this.#held) await this.#held
    let release = () => {}
    this.#held = new Promise((resolve) => {
      release = resolve
    })
    try {
      if (this.#running > 0) {
        await new Promise<void>((resolve) => {
          this.#drained = resolve
        })
      }
      this.#handle = (await body(this.#handle)) ?? this.#handle
    } finally {
      this.#drained = undefined
      this.#held = undefined
      release()
    }
  }
}
