import type { Db, Dialect, StoreHandle } from './open'
import type { Tables } from './tables'
import type { AuditKey, Unit } from './unit'

/**
 * The store that the whole console shares. It stands before the handle so that a switchover can hold writes,
 * put another handle in its place and let them go on, without anybody noticing more than a short wait.
 */
export class Store {
  #handle: StoreHandle
  readonly #auditKey: AuditKey
  #running = 0
  #drained: (() => void) | undefined
  #held: Promise<void> | undefined

  /** @param auditKey signs the audit events of every unit that runs here, on whichever handle. */
  constructor(handle: StoreHandle, auditKey: AuditKey) {
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
  async run<I, O>(unit: Unit<I, O>, input: I): Promise<O> {
    while (this.#held) await this.#held
    this.#running++
    try {
      return await this.#handle.run(this.#signed(unit), input)
    } finally {
      if (--this.#running === 0) this.#drained?.()
    }
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
