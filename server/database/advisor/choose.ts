import type { Candidate } from './candidates'
import type { Costed } from './coster'
import { isEquality } from './demands'
import { usageOf } from './estimate'

/** An index is advised when the statement then costs a third or less, and it is no trifle. */
const PAYS = { ratio: 3, cost: 40 }
/**
 * An index-only read is worth the columns it carries, which every write pays for, when the index without them
 * would be a modest gain, and with them costs less than half and saves this share of the first cost more.
 */
const COVERS = { modest: 6, ratio: 2, share: 0.1 }
/** Costs this near to the best are as good as the best: then the simpler index is taken. */
const NEAR = { ratio: 1.3, share: 0.002 }
/** Rows of the most frequent value, above which a sort after the look-up is felt. */
const MANY_ROWS = 500

export interface Option {
  candidate: Candidate
  costed: Costed
  /** Whether the rows come in the order asked for. */
  ordered: boolean
}

/** Takes the simplest of the best; undefined when none pays. */
export function choose(before: number, options: Option[]): Option | undefined {
  const paying = options.filter(({ costed }) => pays(before, costed.cost))
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

export const pays = (before: number, after: number): boolean =>
  before >= after * PAYS.ratio && before - after >= PAYS.cost

function simplest(before: number, options: Option[]): Option | undefined {
  const best = Math.min(...options.map(({ costed }) => costed.cost))
  let near = options.filter(({ costed }) => costed.cost <= best * NEAR.ratio + before * NEAR.share)
  // A limited read in order that must skip rows is quick for frequent values alone, and so is a sort for rare ones:
  // averages show neither. So order counts where a value is frequent, and of ordered ones what leaves least to skip.
  const inOrder = near.filter(({ ordered, candidate }) => ordered && candidate.demand.query.limited)
  if (inOrder.length > 0 && (near.some(isSkewed) || inOrder.length === near.length)) {
    const most = Math.max(...inOrder.map(served))
    near = inOrder.filter((option) => served(option) === most)
  }
  return near.sort(
    (a, b) =>
      complexity(a) - complexity(b) || a.costed.bytes - b.costed.bytes || a.costed.cost - b.costed.cost,
  )[0]
}

function isSkewed({ candidate: { shape, demand } }: Option): boolean {
  const first = demand.table.columns.get(shape.keys[0]?.name ?? '')
  return first !== undefined && shape.where === null && first.topShare * demand.table.rows > MANY_ROWS
}

/** Equalities that the index answers: by its keys, or by holding no other rows. */
function served({ candidate }: Option): number {
  const equal = usageOf(candidate)?.conditions.filter((each) => isEquality(each)).length ?? 0
  return equal + (candidate.shape.where === null ? 0 : 1)
}

const complexity = ({ candidate: { shape } }: Option): number => shape.keys.length + shape.include.length
