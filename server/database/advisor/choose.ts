import type { Candidate } from './candidates'
import type { Costed } from './coster'
import { isEquality } from './demands'
import { frequentShare, MANY_ROWS } from './shares'
import { partOf, usageOf } from './usage'

/**
 * An index is advised when the statement then costs a third or less, and it is no trifle; or half, when nearly all
 * that its own table cost is saved and the rest is another's.
 */
const PAYS = { ratio: 3, cost: 40, half: 2, own: 0.9 }
/**
 * An index-only read is worth the columns it carries, which every write pays for, when the index without them
 * would be a modest gain, and with them costs less than half and saves this share of the first cost more. For a
 * statement that is quick already, or that costs little, a second copy of the rows is too much; and all the more
 * where an index that is there looks up the same rows. Where one without them pays too, it must save many times what
 * the columns cost the rows that are known to be written.
 */
const COVERS = { modest: 6, ratio: 2, share: 0.1, cost: 500, again: 5_000, milliseconds: 2, times: 10 }
/** Milliseconds that carried columns add to a row that is written. */
const CARRIED_MILLISECONDS = 0.01
/** Costs this near to the best are as good as the best: then the simpler index is taken. */
const NEAR = { ratio: 1.3, share: 0.002 }

export interface Option {
  candidate: Candidate
  costed: Costed
  /** Whether the rows come in the order asked for. */
  ordered: boolean
  /** What reading its table costs now. */
  read: number
}

/** How much a statement is called, and its tables written: all that `AdviseOptions` and `WorkStatement` say of it. */
export interface Load {
  calls: number
  /** 0 when nobody measured. */
  totalMilliseconds: number
  /** Rows written to each table meanwhile, where that is known. */
  writes?: ReadonlyMap<string, number> | undefined
}

const UNKNOWN: Load = { calls: 0, totalMilliseconds: 0 }

/** Takes the simplest of the best; undefined when none pays. */
export function choose(before: number, options: Option[], load: Load = UNKNOWN): Option | undefined {
  const paying = options.filter((option) => pays(before, option) && !isLuxury(before, option, load))
  const plain = simplest(
    before,
    paying.filter(({ candidate }) => candidate.shape.include.length === 0),
  )
  const covering = simplest(
    before,
    paying.filter(({ candidate }) => candidate.shape.include.length > 0),
  )
  if (!plain || !covering) return plain ?? covering
  return outdoes(before, plain, covering, load) ? covering : plain
}

/** Whether the carried columns are worth what they cost, beside an index that pays without them. */
function outdoes(before: number, plain: Option, covering: Option, load: Load): boolean {
  const [alone, carried] = [plain.costed.cost, covering.costed.cost]
  const share = (alone - carried) / before
  if (before >= alone * COVERS.modest || alone < carried * COVERS.ratio || share < COVERS.share) return false
  const written = load.writes?.get(covering.candidate.shape.table)
  if (written === undefined) return false
  return load.totalMilliseconds * share > written * CARRIED_MILLISECONDS * COVERS.times
}

function pays(before: number, { candidate, costed: { cost: after }, read }: Option): boolean {
  const saved = before - after
  if (saved < PAYS.cost) return false
  if (before >= after * PAYS.ratio) return true
  const looksUp = (usageOf(candidate)?.conditions.length ?? 0) > 0
  return looksUp && before >= after * PAYS.half && saved >= read * PAYS.own
}

function isLuxury(before: number, { candidate, costed }: Option, load: Load): boolean {
  if (candidate.shape.include.length === 0) return false
  const mean = load.calls > 0 ? load.totalMilliseconds / load.calls : 0
  if (mean > 0 && mean < COVERS.milliseconds) return true
  const asked = usageOf(candidate)?.conditions.map(({ facts }) => facts.name) ?? []
  const there = candidate.demand.table.indexes.some(
    ({ keys, valid, where, method }) =>
      valid && where === null && method === 'btree' && asked.every((name, at) => keys[at] === name),
  )
  return before - costed.cost < (there && asked.length > 0 ? COVERS.again : COVERS.cost)
}

function simplest(before: number, options: Option[]): Option | undefined {
  const best = Math.min(...options.map(({ costed }) => costed.cost))
  let near = options.filter(({ costed }) => costed.cost <= best * NEAR.ratio + before * NEAR.share)
  // A limited read in order that must skip rows is quick for frequent values alone, and so is a sort for rare ones:
  // averages show neither. So order counts where a value is frequent, and of ordered ones what leaves least to skip.
  const inOrder = near.filter(({ ordered, candidate }) => ordered && candidate.demand.query.limited)
  if (inOrder.length > 0 && (near.some(sortsMany) || inOrder.length === near.length)) {
    const most = Math.max(...inOrder.map(served))
    near = inOrder.filter((option) => served(option) === most)
  }
  return near.sort(
    (a, b) =>
      complexity(a) - complexity(b) ||
      constantKeys(a) - constantKeys(b) ||
      a.costed.bytes - b.costed.bytes ||
      a.costed.cost - b.costed.cost,
  )[0]
}

function sortsMany({ ordered, candidate }: Option): boolean {
  const { demand } = candidate
  const part = partOf(candidate)
  const conditions = [...(usageOf(candidate)?.conditions ?? []), ...(part ? [part] : [])]
  const share = conditions.reduce((product, each) => product * frequentShare(each, demand.table.rows), 1)
  return !ordered && share * demand.table.rows > MANY_ROWS
}

/** Equalities that the index answers: by its keys, or by holding no other rows. */
function served({ candidate }: Option): number {
  const equal = usageOf(candidate)?.conditions.filter((each) => isEquality(each)).length ?? 0
  return equal + (candidate.shape.where === null ? 0 : 1)
}

const complexity = ({ candidate: { shape } }: Option): number => shape.keys.length + shape.include.length

/** Keys that are compared with a constant alone: it is better a condition of the index, and its keys what varies. */
function constantKeys({ candidate }: Option): number {
  const conditions = usageOf(candidate)?.conditions ?? []
  return conditions.filter(({ constant, kind }) => constant !== undefined || kind === 'null').length
}
