import { type CustomTypesConfig, Query, Result } from 'pg'
import type { PreparedStatements, StatementWire } from './connection-statements'
import type { Statement } from './pipeline-statement'

/** A statement with its values, and who waits for its answer. */
export interface Job {
  statement: Statement
  /** Ready for the wire: text, bytes or null. */
  values: unknown[] | undefined
  rowMode: 'array' | undefined
  types: CustomTypesConfig | undefined
  resolve(result: unknown): void
  reject(error: unknown): void
}

export interface FlightOwner {
  readonly prepared: PreparedStatements
  /** The server has answered, or the connection broke; `error` is what it said. */
  answered(flight: Flight, error?: unknown): void
}

/** pg's Connection, as far as a query writes to it. */
export interface Wire extends StatementWire {
  stream: { destroy(): void; cork(): void; uncork(): void; readonly writable: boolean }
  bind(message: { statement: string; values: unknown[] | undefined }): void
  _send(bytes: Buffer): void
}

/** What pg's Query and Result keep to themselves (pg 8.23; the tests of this folder notice when that changes). */
interface InnerQuery {
  name: string | undefined
  values: unknown[] | undefined
  _result: InnerResult
  _results: unknown
  _canceledDueToError: unknown
  prepare(wire: Wire): void
  _checkForMultirow(): void
  handleCommandComplete(message: unknown, wire: Wire): void
}

interface InnerResult {
  fields: Result['fields']
  rows: unknown[]
  _parsers: unknown
  _prebuiltEmptyResultObject: unknown
  parseRow(fields: unknown[]): unknown
  addFields(fields: unknown[]): void
}

const Base = Query as unknown as new (text: string, values?: unknown[]) => InnerQuery

/** Execute of the unnamed portal without limit, and Sync (PostgreSQL manual, 55.7). */
const EXECUTE_SYNC = Buffer.from([0x45, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0x53, 0, 0, 0, 4])

/**
 * Parse, Bind and Execute of BEGIN, without a Sync: if it fails, the server skips what follows up to the Sync of
 * the statement behind it, which therefore never runs outside its transaction (PostgreSQL manual, 55.2.4).
 */
const BEGIN = Buffer.concat([
  Buffer.from([0x50, 0, 0, 0, 13, 0]),
  Buffer.from('BEGIN\0\0\0'),
  Buffer.from([0x42, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0]),
  Buffer.from([0x45, 0, 0, 0, 9, 0, 0, 0, 0, 0]),
])

/** One statement on its way: pg's Query without its events, and without asking again for a known row description. */
export class Flight extends Base {
  readonly job: Job
  readonly sentAt: number
  /** When its caller is refused; Infinity for never. */
  readonly dueAt: number
  /** The caller has been refused already; the answer is thrown away. */
  refused = false
  /** The server has answered; the connection is free for the next one at ReadyForQuery. */
  over = false
  retried = false
  /** BEGIN goes before it, in the same message: its own completion is not the statement's. */
  begins = false
  /** It began a transaction, which its failure has ended. */
  began = false
  readonly #owner: FlightOwner
  #shaped = false

  constructor(owner: FlightOwner, job: Job, name: string | undefined, now: number, dueAt: number) {
    super(job.statement.text, job.values)
    this.#owner = owner
    this.job = job
    this.sentAt = now
    this.dueAt = dueAt
    this.name = name
    if (job.rowMode || job.types) {
      this._result = new Result(job.rowMode ?? '', job.types as never) as unknown as InnerResult
      this._results = this._result
    }
  }

  override prepare(wire: Wire): void {
    const shape = this.name === undefined ? undefined : this.#owner.prepared.use(wire, this.name)
    if (!shape || this.name === undefined) {
      super.prepare(wire)
      return
    }
    if (this.job.types) {
      if (shape.fields.length > 0) this._result.addFields(shape.fields)
    } else {
      this._result.fields = shape.fields
      this._result._parsers = shape.parsers
      this._result._prebuiltEmptyResultObject = shape.empty
    }
    this.#shaped = true
    if (this.begins) wire._send(BEGIN)
    wire.bind({ statement: this.name, values: this.values })
    wire._send(EXECUTE_SYNC)
  }

  handleRowDescription(message: { fields: unknown[] }): void {
    this._checkForMultirow()
    this._result.addFields(message.fields)
  }

  override handleCommandComplete(message: unknown, wire: Wire): void {
    if (this.begins) this.begins = false
    else super.handleCommandComplete(message, wire)
  }

  handleDataRow(message: { fields: unknown[] }): void {
    if (this._canceledDueToError || this.refused) return
    try {
      this._result.rows.push(this._result.parseRow(message.fields))
    } catch (error) {
      this._canceledDueToError = error
    }
  }

  handleError(error: unknown): void {
    if (this.over) return
    this.over = true
    this.#owner.answered(this, this._canceledDueToError || error)
  }

  handleReadyForQuery(): void {
    if (this._canceledDueToError) {
      this.handleError(this._canceledDueToError)
      return
    }
    if (this.over) return
    this.over = true
    if (this.name !== undefined && !this.#shaped) this.#keepShape(this.name)
    this.#owner.answered(this)
  }

  get result(): unknown {
    return this._results
  }

  #keepShape(name: string): void {
    const { fields, _parsers: parsers, _prebuiltEmptyResultObject: empty } = this._result
    // Parsers of a caller's own types are no one else's.
    if (this.job.types && fields.length > 0) {
      const plain = new Result('', undefined as never) as unknown as InnerResult
      plain.addFields(fields)
      this.#owner.prepared.answered(name, {
        fields,
        parsers: plain._parsers,
        empty: plain._prebuiltEmptyResultObject,
      })
      return
    }
    this.#owner.prepared.answered(name, { fields, parsers, empty })
  }
}
