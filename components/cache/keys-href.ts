import type { Stats } from './types'

/** Where the keys of a namespace are listed. */
export function namespaceHref({ prefix }: Pick<Stats, 'prefix'>, name: string): string {
  return `/cache/keys?prefix=${encodeURIComponent(`${prefix}${name}:`)}`
}

/** Where one key is shown with its value. */
export function keyHref(key: string, scope: 'ours' | 'all'): string {
  return `/cache/keys?key=${encodeURIComponent(key)}${scope === 'all' ? '&scope=all' : ''}`
}
