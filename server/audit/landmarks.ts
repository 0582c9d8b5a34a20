import type { AuditEventName } from './append'
import type { AuditRow } from './chain'

/** Written when a prefix of the log was dropped: nothing is missing then up to the edge. */
export const PRUNED = 'sys_audit_pruned' satisfies AuditEventName

/** The first event of a new epoch: somebody with the master key said that the store was restored from a backup. */
export const RESTORED = 'sys_audit_restored' satisfies AuditEventName

/** The last event of a stretch of the log. */
export interface Edge {
  epoch: number
  seq: number
  hash: string
}

/** An edge as an event of the log tells it in `after`: fields that are called a hash are cut out of events. */
export const edgeInEvent = ({ epoch, seq, hash }: Edge) => ({ edge: `${epoch}:${seq}:${hash}` })

/** The edge that an event tells of; undefined where it tells of none. */
export function edgeOfEvent({ after }: Pick<AuditRow, 'after'>): Edge | undefined {
  const { edge } = (after === null ? {} : parsed(after)) as { edge?: unknown }
  const [, epoch, seq, hash] = /^(\d{1,10}):(\d{1,15}):([0-9a-f]{64})$/.exec(String(edge)) ?? []
  return hash === undefined ? undefined : { epoch: Number(epoch), seq: Number(seq), hash }
}

function parsed(text: string): object {
  try {
    return Object(JSON.parse(text)) as object
  } catch {
    return {}
  }
}
