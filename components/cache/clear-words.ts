import type { ClearTarget } from './key-types'

/** What is said of a clear before it is done, and the words to type for it. */
export interface ClearWords {
  title: string
  label: string
  effect: string
  confirm: string
}

/** How a clear is named. `shared` tells whether there is a Redis at all. */
export function clearWords(target: ClearTarget, shared: boolean): ClearWords {
  const where = shared ? 'in Redis and in the memory of this process' : 'in the memory of this process'
  if (target.scope === 'namespace') {
    return {
      title: `Clear ${target.namespace}`,
      label: 'Clear the namespace',
      effect: `Deletes every value of the namespace ${target.namespace}, ${where}. They are computed anew when they are next asked for.`,
      confirm: target.namespace,
    }
  }
  if (target.scope === 'all') {
    return {
      title: 'Clear everything in Redis',
      label: 'Clear everything',
      effect:
        'Deletes every key on every primary, also those of other applications that use this Redis. It cannot be taken back.',
      confirm: 'clear everything',
    }
  }
  return {
    title: 'Clear the cache',
    label: 'Clear the cache',
    effect: `Deletes every value of this cache, ${where}. Keys of other applications stay. Values are computed anew when they are next asked for.`,
    confirm: 'clear cache',
  }
}
