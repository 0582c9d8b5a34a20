import { availableParallelism, release, totalmem, type } from 'node:os'
import { version } from '@/package.json'

export { version }

/** Which release runs where, since when. */
export function aboutProcess(now: number) {
  return {
    version,
    node: process.version,
    pid: process.pid,
    startedAt: Math.round(now - process.uptime() * 1000),
    platform: `${type()} ${release()} ${process.arch}`,
    cores: availableParallelism(),
    memoryBytes: totalmem(),
  }
}
