import type { Candidate } from './candidates'
import type { Costed } from './coster'
import { type Demand, isEquality, withoutAlias } from './demands'
import { usageOf } from './usage'

/**
 * An index is advised when the statement then costs a third or less, and it is no trifle; or half, when nearly all
 * that its own table cost is saved and the rest is another's.
 */
const PAYS = { ratio: 3, cost: 40, half: 2, own: 0.9 }
/**
 * An index-only read is worth the columns it carries, which every write pays for, when the index without them
 * would be a modest gain, and with them costs less than half and saves this share of the first cost more. For a
 * statement that is quick already, or that costs little, a second copy of the rows is too much; and all the more
 * where an index that is there looks up the same rows.
 */
const COVERS = { modest: 6, ratio: 2, share: 0.1, cost: 500, again: 5_000, milliseconds: 2 }
/** Costs this near to the best are as good as the best: then the simpler index is taken. */
const NEAR = { ratio: 1.3, share: 0.002 }
/** Rows found by the most frequent values, above which a sort after the look-up is felt. */
const MANY_ROWS = 500

export interface Option {
  candidate: Candidate
  costed: Costed
  /** Whether the rows come in the order asked for. */
  ordered: boolean
  /** What reading its table costs now. */
  read: number
}

/**
 * Takes the simplest of the best; undefined when none pays.
 * @param mean milliseconds that a call takes; 0 when nobody measured.
 */
export function choose(before: number, options: Option[], mean = 0): Option | undefined {
  const paying = options.filter((option) => pays(before, option) && !isLuxury(before, option, mean))
  const plain = simplest(
    before,
    paying.filter(({ candidate }) => candidate.shape.include.length === 0),
  )
  const covering = simplest(
    before,
    paying.filter(({ candidate }) => candidate.shape.include.length > 0),
  )
  if (!plain || !covering) return plain ?? covering
  const [alone, carried] = [plain.costed.cost, covering.costed.cost]
  const worth = before < alone * COVERS.modest && alone >= carried * COVERS.ratio
  return worth && alone - carried >= before * COVERS.share ? covering : plain
}

function pays(before: number, { candidate, costed: { cost: after }, read }: Option): boolean {
  const saved = before - after
  if (saved < PAYS.cost) return false
  if (before >= after * PAYS.ratio) return true
  const looksUp = (usageOf(candidate)?.conditions.length ?? 0) > 0
  return looksUp && before >= after * PAYS.half && saved >= read * PAYS.own
}

function isLuxury(before: number, { candidate, costed }: Option, mean: number): boolean {
  if (candidate.shape.include.length === 0) return false
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
  const { shape, demand } = candidate
  const part = demand.demands.find(({ text }) => withoutAlias(text, demand.source.alias) === shape.where)
  const conditions = [...(usageOf(candidate)?.conditions ?? []), ...(part ? [part] : [])]
  const share = conditions.reduce((product, each) => product * frequentShare(each, demand.table.rows), 1)
  return !ordered && share * demand.table.rows > MANY_ROWS
}

/** The share of rows that a condition leaves for the value that the most rows have; a constant's is known. */
function frequentShare({ kind, facts, rows: found }: Demand, rows: number): number {
  if (found !== null) return found / Math.max(1, rows)
  if (kind !== 'equal' && kind !== 'in') return 1
  return Math.max(facts.topShare, 1 / Math.max(1, facts.distinct ?? 1))
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
