import type { StatusKind } from '@/components/ui/status'
import type { RouterOutputs } from '@/server/routers/_app'

export type Finding = RouterOutputs['security']['findings']['list']['findings'][number]
export type Rule = RouterOutputs['security']['rules']['list'][number]

export const stateWords: Record<Finding['state'], { kind: StatusKind; word: string }> = {
  open: { kind: 'warn', word: 'Open' },
  acknowledged: { kind: 'busy', word: 'Acknowledged' },
  closed: { kind: 'ok', word: 'Closed' },
}

export const responseWords: Record<Rule['response'], string> = {
  notify: 'Notify',
  'require a fresh factor': 'Notify, and require a fresh factor',
  'end sessions': 'Notify, and end the sessions',
  block: 'Notify, and block the address',
}

const doneWords: Record<string, string> = {
  block: 'Blocked',
  'end sessions': 'Sessions ended',
  'require a fresh factor': 'Fresh factor required',
}

/** `Blocked network:203.0.113.9`. */
export const doneInWords = ({ kind, target }: { kind: string; target: string | null }) =>
  `${doneWords[kind] ?? kind}${target ? `: ${target.replace(/^(network|user):/, '')}` : ''}`

const singles: Record<string, string> = { addresses: 'address' }

/** `1 hour`, `24 hours`. */
export const unitWord = (value: number | undefined, unit: string) =>
  value === 1 ? (singles[unit] ?? unit.replace(/s$/, '')) : unit
