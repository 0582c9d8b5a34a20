import { setTimeout as pause } from 'node:timers/promises'
import { openStream, type TestStream } from '@/e2e/stream'

/** Event streams of clients that come back with the id they had last, as browsers do. */
export interface KeptStreams {
  /** Streams that ended and were opened again. */
  reconnected(): number
  /** Attempts to open one that were refused, and streams that ended without saying that the console restarts. */
  failed: string[]
  stop(): Promise<void>
}

/** Keeps so many streams open until told to stop. */
export function keepStreams(url: string, token: string, count: number): KeptStreams {
  const open = new Set<TestStream>()
  const failed: string[] = []
  let opened = 0
  let stopped = false

  async function follow(): Promise<void> {
    let last: string | undefined
    while (!stopped) {
      try {
        const stream = await openStream(url, token, last)
        open.add(stream)
        opened++
        const text = await stream.end()
        open.delete(stream)
        last = [...text.matchAll(/^id: (.+)$/gm)].at(-1)?.[1] ?? last
        if (!stopped && !text.includes('SHUTTING_DOWN')) failed.push(`a stream ended: ${text.slice(-200)}`)
      } catch (error) {
        failed.push(`no stream: ${error instanceof Error ? error.message : error}`)
        await pause(500)
      }
    }
  }

  const followers = Array.from({ length: count }, follow)
  return {
    reconnected: () => Math.max(0, opened - count),
    failed,
    async stop() {
      stopped = true
      await Promise.all([...open].map((stream) => stream.close()))
      await Promise.all(followers)
    },
  }
}
