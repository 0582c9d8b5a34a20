import type { Checkpoint } from './checkpoint'
import { both, lengthOf, merged, type Range, without } from './ranges'
import type { Suspect, Walk } from './walk'

export type BreakKind =
  | 'modified'
  | 'missing'
  | 'inserted'
  | 'reordered'
  | 'forked'
  | 'truncated'
  | 'rolled back'
  | 'unknown key'
  | 'checkpoint unreadable'

/** What is wrong with a log, from one event to another. */
export interface Found {
  kind: BreakKind
  seq: number
  to: number
  /** What more there is to say. */
  note?: string
}

/** What stands beside the rows. */
export interface Surroundings {
  checkpoints: readonly Checkpoint[]
  /** The head row; null where it is gone; undefined for an export, which has none. */
  head?: { seq: number; hash: string } | null | undefined
}

/** What the walk over a log comes to. */
export interface Judgement {
  found: Found[]
  /** Checkpoints of an epoch that was ended by a restore: what they sign is known to be lost. */
  explained: number
  /** Up to where the log was pruned; 0: not at all. */
  prunedTo: number
}

/** Names what the rows of a log show: places without their event, and rows without their place. */
export function judge(walk: Walk, { checkpoints, head }: Surroundings): Judgement {
  const live = checkpoints.filter(({ epoch, seq }) => !isExplained(walk, epoch, seq))
  const signed = live.reduce((most, { seq }) => Math.max(most, seq), 0)
  const written = head === undefined ? walk.highestSeq : (head?.seq ?? 0)
  // Without any checkpoint the head has to be believed.
  const vouched = live.length === 0 ? written : signed
  const proven = Math.max(walk.last.seq, Math.min(vouched, head === undefined ? written : vouched))
  const end = Math.max(proven, written)
  const prunedTo = pruned(walk)

  const behind: Range[] = end > walk.last.seq ? [{ seq: walk.last.seq + 1, to: end }] : []
  const dropped: Range[] = prunedTo > 0 ? [{ seq: 1, to: prunedTo }] : []
  const empty = without([...walk.gaps, ...behind], [...walk.moved, ...dropped])
  const moved = replaced(walk, empty)
  const homeless = moved.map(({ row }) => ({ seq: row.seq, to: row.seq }))
  const open = without(empty, moved.map(placeOf))
  const misfits = without(walk.misfits, homeless)
  const rows = merged([...misfits, ...walk.unsigned])
  const changed = merged([
    ...both(misfits, open),
    ...both(both(walk.unsigned, open), [{ seq: 1, to: proven }]),
  ])
  const lost = without(open, rows)
  const lastRow = Math.max(walk.last.seq, changed.at(-1)?.to ?? 0, ...moved.map(({ place = 0 }) => place))
  const wentBack = contradicted(walk, (genuine) => genuine)
  const found: Found[] = [
    ...named('modified', [...changed, ...walk.modified, ...contradicted(walk, (genuine) => !genuine)]),
    ...named('missing', both(lost, [{ seq: 1, to: lastRow }])),
    ...named('inserted', without(rows, changed)),
    ...named('reordered', [...walk.moved, ...moved.map(placeOf)]),
    ...named('forked', walk.forked),
    ...named('rolled back', wentBack),
    ...named(tailKind(head, end), without(lost, [{ seq: 1, to: lastRow }])),
    ...named('unknown key', walk.unknownKeys),
    ...headMisfit(walk, head, lost),
  ]
  return {
    found: found.sort((a, b) => a.seq - b.seq),
    explained: checkpoints.length - live.length,
    prunedTo,
  }
}

/** A restore that somebody declared explains what was signed before it, from where the new epoch begins. */
function isExplained({ restored }: Walk, epoch: number, seq: number): boolean {
  return restored.some((begin) => epoch < begin.epoch && seq >= begin.seq)
}

/** How far events of the log say that it was pruned, where that is what its first row shows. */
function pruned({ prunedTo, gaps, first }: Walk): number {
  const [gap] = gaps
  if (!first || gap?.seq !== 1) return 0
  const fitting = prunedTo.filter(({ seq, hash }) => seq > gap.to || (seq === gap.to && hash === gap.after))
  return fitting.length > 0 ? gap.to : 0
}

const placeOf = ({ place = 0 }: Suspect): Range => ({ seq: place, to: place })

/** Rows that were found to belong to a place where nothing stands. */
function replaced(walk: Walk, empty: Range[]): Suspect[] {
  const isEmpty = (place: number) => empty.some(({ seq, to }) => seq <= place && place <= to)
  const taken = new Set<number>()
  return walk.suspects.flatMap(({ row, place }) => {
    const places = [
      ...(place === undefined ? [] : [place]),
      ...walk.gaps.filter(({ after }) => after === row.hash).map(({ to }) => to),
      ...walk.gaps.filter(({ before }) => before === row.previousHash).map(({ seq }) => seq),
      ...(walk.last.hash === row.previousHash ? [walk.last.seq + 1] : []),
    ]
    const home = places.find(
      (each) => each !== row.seq && !taken.has(each) && isEmpty(each) && walk.fits(row, each),
    )
    if (home === undefined) return []
    taken.add(home)
    return [{ row, place: home }]
  })
}

/** From the last checkpoint that agrees to each that does not. */
function contradicted(walk: Walk, wanted: (genuine: boolean) => boolean): Range[] {
  const events = [
    ...walk.agreed.map(({ time, seq }) => ({ time, seq, agrees: true, genuine: true })),
    ...walk.contradicted
      .filter(({ checkpoint: { epoch, seq } }) => !isExplained(walk, epoch, seq))
      .map(({ checkpoint: { time, seq }, genuine }) => ({ time, seq, agrees: false, genuine })),
  ].sort((a, b) => a.time - b.time || a.seq - b.seq)
  let agreed = 0
  return merged(
    events.flatMap(({ seq, agrees, genuine }) => {
      if (agrees) agreed = Math.max(agreed, seq)
      return agrees || !wanted(genuine) ? [] : [{ seq: Math.min(agreed + 1, seq), to: seq }]
    }),
  )
}

/** A head that went back with its rows looks like an earlier log; one that stayed tells that the end was cut off. */
function tailKind(head: Surroundings['head'], end: number): BreakKind {
  return head !== undefined && (head?.seq ?? 0) < end ? 'rolled back' : 'truncated'
}

function headMisfit({ last }: Walk, head: Surroundings['head'], lost: Range[]): Found[] {
  if (head === undefined || last.seq === 0 || lost.some(({ to }) => to > last.seq)) return []
  if (head === null) return [{ kind: 'missing', seq: last.seq, to: last.seq, note: 'the head row' }]
  const fits = head.seq > last.seq || (head.seq === last.seq && head.hash === last.hash)
  return fits ? [] : [{ kind: 'modified', seq: head.seq, to: head.seq, note: 'the head row' }]
}

const named = (kind: BreakKind, ranges: Range[]): Found[] =>
  merged(ranges).map((range) => ({ kind, ...range }))

/** How many events each kind is about. */
export function countsOf(found: readonly Found[]): Partial<Record<BreakKind, number>> {
  const kinds = [...new Set(found.map(({ kind }) => kind))]
  return Object.fromEntries(kinds.map((kind) => [kind, lengthOf(found.filter((each) => each.kind === kind))]))
}
