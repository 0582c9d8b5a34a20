import type { KeyScope } from '@/components/cache/key-types'

/** What the list of keys shows: whose keys, which folder, and a glob over the rest of the key. */
export interface Place {
  scope: KeyScope
  /** What the keys begin with, with the last colon; empty at the top. */
  prefix: string
  match: string
}

/** The place that an address names. Whose keys is told by the folder where nothing else tells it. */
export function placeOf(params: Pick<URLSearchParams, 'get'>): Place {
  return {
    scope: params.get('scope') === 'all' ? 'all' : 'ours',
    prefix: params.get('prefix') ?? '',
    match: params.get('match')?.trim() ?? '',
  }
}

/** The place as `cache.keys` takes it: server and browser ask with the same input. */
export const inputOf = ({ scope, prefix, match }: Place) => ({ scope, prefix, match: match || undefined })

export interface Crumb {
  name: string
  prefix: string
}

/** Folders above the open one and itself, without the top. `own` is what every key of this cache begins with. */
export function crumbsOf({ scope, prefix }: Place, own: string): Crumb[] {
  const from = scope === 'ours' && prefix.startsWith(own) ? own.length : 0
  const crumbs: Crumb[] = []
  for (let at = from; at < prefix.length; ) {
    const colon = prefix.indexOf(':', at)
    const end = colon < 0 ? prefix.length : colon + 1
    crumbs.push({ name: prefix.slice(at, colon < 0 ? end : colon), prefix: prefix.slice(0, end) })
    at = end
  }
  return crumbs
}

/** A glob that begins with * goes on being meant in a folder; another says how the folder's own name begins. */
export const matchWithin = (match: string) => (match.startsWith('*') ? match : '')

/** The pattern of everything that a place shows, as `cache.match` takes it: over the rest of the key where it is ours. */
export function patternOf({ scope, prefix, match }: Place, own: string): string {
  const folder = scope === 'ours' && prefix.startsWith(own) ? prefix.slice(own.length) : prefix
  return `${escapeGlob(folder)}${match || '*'}`
}

/** Text that stands for itself in a glob. \xNN already does. */
function escapeGlob(text: string): string {
  return text.replace(/\\x[0-9a-f]{2}|[*?[\]\\]/gi, (found) => (found.length > 1 ? found : `\\${found}`))
}
