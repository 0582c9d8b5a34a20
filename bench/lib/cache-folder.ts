import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where measurements keep what is costly to get; it may be removed at any time. */
export const cacheFolder = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'holdfast')
