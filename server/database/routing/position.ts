import { AsyncLocalStorage } from 'node:async_hooks'

/** A place in the history of a database: what a session has written is there, and everything before it. */
export interface LogPlace {
  timeline: number
  /** Bytes of WAL since the beginning. */
  lsn: bigint
}

const FORM = /^([1-9]\d{0,9})-([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/

/** Reads `<timeline>-<lsn>`, such as `2-0/3000148`. Anything else is null: it comes from a client. */
function parsePosition(text: unknown): LogPlace | null {
  const [, timeline, high, low] = (typeof text === 'string' && FORM.exec(text)) || []
  if (!timeline || !high || !low || Number(timeline) > 0xffffffff) return null
  return { timeline: Number(timeline), lsn: (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`) }
}

function formatPosition({ timeline, lsn }: LogPlace): string {
  return `${timeline}-${formatLsn(lsn)}`
}

/** A position in WAL as PostgreSQL writes it. */
export function formatLsn(lsn: bigint): string {
  const hex = (part: bigint) => part.toString(16).toUpperCase()
  return `${hex(lsn >> 32n)}/${hex(lsn & 0xffffffffn)}`
}

/** The later of two. A later timeline goes on from an earlier one, so it counts first. */
export function later(one: LogPlace | null, other: LogPlace | null): LogPlace | null {
  if (!one || !other) return one ?? other
  if (one.timeline !== other.timeline) return one.timeline > other.timeline ? one : other
  return one.lsn >= other.lsn ? one : other
}

/**
 * Whether a replica that has replayed `lsn` on `timeline` has replayed `position`. One on an earlier timeline may
 * have gone another way, and one on a timeline that is not known too.
 */
export function reaches(timeline: number | null, lsn: bigint | null, position: LogPlace): boolean {
  return timeline !== null && lsn !== null && timeline >= position.timeline && lsn >= position.lsn
}

/** Later than anything that is written: of what a session wrote is known only that it was on this timeline. */
const SOMEWHERE = 0xffffffffffffffffn

/** One statement that a session wrote, without a place yet. */
export interface Written {
  timeline: number
  /** When it had been answered, as a time of performance.now(). */
  at: number
  /** Finds its place out. Never throws. */
  place(): Promise<void>
}

/**
 * What one session has written: its reads see at least that, whatever replica and instance answers them. It travels
 * between instances as a short text; what is no such text counts as none.
 */
export class Position {
  place: LogPlace | null
  /** The last write whose place is not known yet. */
  written: Written | undefined

  constructor(travelled: string | null = null) {
    this.place = parsePosition(travelled)
  }

  note(place: LogPlace): void {
    this.place = later(this.place, place)
  }

  /** The last write is known to be before `place`. */
  settle(place: LogPlace): void {
    this.written = undefined
    this.note(place)
  }

  /** Where the last write is can't be found out any more: no replica has it for sure. */
  giveUp(): void {
    if (this.written) this.settle({ timeline: this.written.timeline, lsn: SOMEWHERE })
  }

  /** Only that it wrote on a timeline is known. */
  get somewhere(): boolean {
    return this.place?.lsn === SOMEWHERE
  }

  /** Of 28 characters at most; null before the first write. */
  text(): string | null {
    return this.place && formatPosition(this.place)
  }
}

const positions = new AsyncLocalStorage<Position>()

/** The session on whose behalf this code runs. */
export function currentPosition(): Position | undefined {
  return positions.getStore()
}

/** Runs what belongs to one session: its reads see what it wrote, and `position` tells how far that is when it ends. */
export async function within<T>(position: Position, work: () => Promise<T>): Promise<T> {
  try {
    return await positions.run(position, work)
  } finally {
    await position.written?.place()
  }
}
