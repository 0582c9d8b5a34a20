import { type AuditRow, canonical, genesis } from './chain'
import type { Checkpoint } from './checkpoint'
import { hashOf, macOf } from './digests'
import { isCovered } from './genuine'
import { type Edge, edgeOfEvent, PRUNED, RESTORED } from './landmarks'
import { extend, type Range } from './ranges'

export interface WalkFacts {
  /** HMAC keys by id; without them only hashes and checkpoints tell. */
  macs?: ReadonlyMap<string, Uint8Array> | undefined
  /** With a signature that was looked at, in ascending order of seq. */
  checkpoints: readonly Checkpoint[]
  /** The event before the first one, when the walk does not start at the beginning. */
  after?: { seq: number; hash: string } | undefined
}

/** Places of the chain at which no event stands as it was written. */
export interface Gap extends Range {
  /** Hash of the event before it, and what the event behind it says that the hash of its last one is. */
  before: string
  after: string | undefined
}

/** A row that is not what the console wrote at this place. */
export interface Suspect {
  row: AuditRow
  /** Where it fits, when that was found. */
  place?: number
}

/** More than so many are counted without being told apart. */
const MOST_RANGES = 10_000
const MOST_SUSPECTS = 200
/** Rows are looked for so many places behind their own, and so often. */
const REACH = 64
const MOST_SEARCHES = 2_000

/**
 * Walks the rows of a log in its order, once and in bounded memory, and takes down which places of the chain hold
 * the event that was written there, and which rows do not fit. What became of them is judged at the end (judge.ts).
 */
export class Walk {
  readonly #facts: WalkFacts
  #nextCheckpoint = 0
  #searches = 0
  #shifted: Suspect | undefined
  /** Rows since the last gap that no checkpoint has proven so far. */
  #unproven: { rows: number; oldestAt: number | null } = { rows: 0, oldestAt: null }

  rows = 0
  first: AuditRow | undefined
  /** The end of the chain so far, by place. */
  last: { seq: number; hash: string; epoch: number | null; known: boolean }
  highestSeq = 0
  readonly gaps: Gap[] = []
  readonly suspects: Suspect[] = []
  /** Places of rows whose content does not fit, and of those whose HMAC alone does not. */
  readonly misfits: Range[] = []
  readonly unsigned: Range[] = []
  readonly moved: Range[] = []
  readonly forked: Range[] = []
  readonly modified: Range[] = []
  readonly unknownKeys: Range[] = []
  readonly agreed: Checkpoint[] = []
  readonly contradicted: { checkpoint: Checkpoint; genuine: boolean }[] = []
  readonly prunedTo: Edge[] = []
  /** Restores that were declared: checkpoints of earlier epochs, from this place on, sign what is lost. */
  readonly restored: { seq: number; epoch: number }[] = []
  /** Events that tell of tampering that was found before. */
  readonly reported: number[] = []
  provenRows = 0
  /** Rows in stretches that end before a checkpoint could prove them. */
  looseRows = 0
  /** There were more ranges than are told apart. */
  overflow = false

  constructor(facts: WalkFacts) {
    this.#facts = facts
    this.last = { seq: facts.after?.seq ?? 0, hash: facts.after?.hash ?? genesis, epoch: null, known: true }
  }

  /** Rows behind the last one that a checkpoint proves, and when the first of them was written. */
  get unproven(): { rows: number; oldestAt: number | null } {
    return this.#unproven
  }

  add(row: AuditRow): void {
    this.rows++
    this.first ??= row
    this.highestSeq = Math.max(this.highestSeq, row.seq)
    const bytes = canonical(row)
    const { macs } = this.#facts
    const key = macs?.get(row.keyId)
    if (!isCovered(row) || hashOf(bytes) !== row.hash) this.#misfit(row)
    else if (key && macOf(bytes, key) !== row.mac) this.#suspect({ row }, this.unsigned)
    else {
      if (macs && !key) this.#note(this.unknownKeys, row.seq)
      this.#place(row, row.seq, !macs || key !== undefined)
    }
  }

  /** The row belongs to this place of the chain, wherever it stands. */
  #place(row: AuditRow, place: number, known: boolean): void {
    const { last } = this
    if (place <= last.seq) {
      this.#late(place)
      return
    }
    if (place > last.seq + 1)
      this.#gap({ seq: last.seq + 1, to: place - 1, before: last.hash, after: row.previousHash })
    else if (row.previousHash !== last.hash) this.#unlinked(place)
    this.last = { seq: place, hash: row.hash, epoch: row.epoch, known }
    this.#shifted = undefined
    if (place !== row.seq) this.#note(this.moved, place)
    if (known) this.#landmark(row, place)
    this.#unproven.rows++
    this.#unproven.oldestAt ??= row.time
    this.#compare(row, place, known)
  }

  /** A row behind one that it should stand before. */
  #late(place: number): void {
    const inGap = this.gaps.some(({ seq, to }) => seq <= place && place <= to)
    this.#note(inGap ? this.moved : this.forked, place)
  }

  #gap(gap: Gap): void {
    this.looseRows += this.#unproven.rows
    this.#unproven = { rows: 0, oldestAt: null }
    if (this.gaps.length < MOST_RANGES) this.gaps.push(gap)
    else this.overflow = true
  }

  /** Two events that follow one another and don't belong together. */
  #unlinked(place: number): void {
    const { last } = this
    if (this.#facts.macs && last.known) this.#note(this.forked, place)
    else this.#note(this.modified, Math.max(1, last.seq))
  }

  #landmark(row: AuditRow, place: number): void {
    if (row.event === PRUNED) {
      const edge = edgeOfEvent(row)
      if (edge) this.prunedTo.push(edge)
    } else if (row.event === RESTORED)
      this.restored.push({ seq: (edgeOfEvent(row)?.seq ?? place - 1) + 1, epoch: row.epoch })
    else if (row.event === 'malicious_audit_tampering' && this.reported.length < 20) this.reported.push(place)
  }

  #compare(row: AuditRow, place: number, genuine: boolean): void {
    const { checkpoints } = this.#facts
    for (; (checkpoints[this.#nextCheckpoint]?.seq ?? Infinity) <= place; this.#nextCheckpoint++) {
      const checkpoint = checkpoints[this.#nextCheckpoint] as Checkpoint
      if (checkpoint.seq < place) continue
      if (checkpoint.hash !== row.hash) {
        this.contradicted.push({ checkpoint, genuine: genuine && this.#facts.macs !== undefined })
        continue
      }
      this.agreed.push(checkpoint)
      this.provenRows += this.#unproven.rows
      this.#unproven = { rows: 0, oldestAt: null }
    }
  }

  /** Content and hash do not fit: it was changed, or it stands at another place than its own. */
  #misfit(row: AuditRow): void {
    const next = this.last.seq + 1
    if (next !== row.seq && this.fits(row, next)) this.#place(row, next, true)
    else if (!this.#followsShift(row)) {
      const suspect = this.#search(row)
      this.#suspect(suspect, this.misfits)
      this.#shifted = suspect
    }
  }

  /** Two rows in succession that are off by as many places were moved up together, over rows that are missing. */
  #followsShift(row: AuditRow): boolean {
    const shifted = this.#shifted
    if (shifted?.place === undefined) return false
    const place = row.seq + shifted.place - shifted.row.seq
    if (!this.fits(row, place)) return false
    this.#forget(shifted)
    this.#place(shifted.row, shifted.place, true)
    this.#place(row, place, true)
    return true
  }

  #search(row: AuditRow): Suspect {
    if (this.#searches >= MOST_SEARCHES) return { row }
    this.#searches++
    for (let place = row.seq + 1; place <= row.seq + REACH; place++)
      if (this.fits(row, place)) return { row, place }
    return { row }
  }

  /** Whether a row is what was written at another place. */
  fits(row: AuditRow, place: number): boolean {
    if (!isCovered(row)) return false
    const bytes = canonical({ ...row, seq: place })
    if (hashOf(bytes) !== row.hash) return false
    const key = this.#facts.macs?.get(row.keyId)
    return !key || macOf(bytes, key) === row.mac
  }

  #suspect(suspect: Suspect, kind: Range[]): void {
    this.#note(kind, suspect.row.seq)
    if (this.suspects.length < MOST_SUSPECTS) this.suspects.push(suspect)
  }

  #forget(suspect: Suspect): void {
    const at = this.suspects.indexOf(suspect)
    if (at >= 0) this.suspects.splice(at, 1)
    const range = this.misfits.at(-1)
    if (range?.to !== suspect.row.seq) return
    if (range.seq === range.to) this.misfits.pop()
    else range.to--
  }

  #note(ranges: Range[], seq: number): void {
    if (ranges.length < MOST_RANGES || ranges.at(-1)?.to === seq - 1) extend(ranges, { seq, to: seq })
    else this.overflow = true
  }
}
