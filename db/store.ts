import type { Db, Dialect, StoreHandle } from './open'
import type { Tables } from './tables'
import type { Unit } from './unit'

/**
 * The store that the whole console shares. It stands before the handle so that a switchover can hold writes,
 * put another handle in its place and let them go on, without anybody noticing more than a short wait.
 */
export class Store {
  #handle: StoreHandle
  #running = 0
  #drained: (() => void) | undefined
  #held: Promise<void> | undefined

  constructor(handle: StoreHandle) {
    this.#handle = handle
  }

  get dialect(): Dialect {
    return this.#handle.dialect
  }

  /** Typed reads. Writes go through {@link run} alone. */
  get db(): Db {
    return this.#handle.db
  }

  get tables(): Tables {
    return this.#handle.tables
  }

  /** Runs a unit of work in one transaction; while writes are held it waits. */
  async run<I, O>(unit: Unit<I, O>, input: I): Promise<O> {
    while (this.#held) await this.#held
    this.#running++
    try {
      return await this.#handle.run(unit, input)
    } finally {
      if (--this.#running === 0) this.#drained?.()
    }
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
