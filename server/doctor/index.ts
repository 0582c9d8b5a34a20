import { examineConfiguration } from './configuration'
import { type Line, looked } from './line'
import { examineCheckpoints, examineDataFolder, examineOpenFiles, examinePort } from './machine'
import { examineCache } from './redis'
import { examineStore } from './store'

export type { Line } from './line'

/**
 * Looks at everything that a console stands on, whether it runs or cannot start, and says what to do. Changes nothing
 * and never throws.
 */
export async function examine(environment: Record<string, string | undefined>): Promise<Line[]> {
  const { env, lines } = examineConfiguration(environment)
  if (!env) return [...lines, ...(await looked('Open files', examineOpenFiles))]
  const rest = await Promise.all([
    looked('Data folder', () => examineDataFolder(env)),
    looked('Open files', examineOpenFiles),
    looked('Port', () => examinePort(env)),
    looked('Store', () => examineStore(env)),
    looked('Checkpoints', () => examineCheckpoints(env)),
    looked('Redis', () => examineCache(env)),
  ])
  return [...lines, ...rest.flat()]
}
