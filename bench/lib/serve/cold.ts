import { setTimeout as delay } from 'node:timers/promises'
import { type ConsoleOptions, startConsole } from '@/e2e/server'
import { residentOf } from '../processes'

const IDLE_MS = 5_000

export interface Cold {
  /** From the start of the process to the first answer of a procedure, and of a page. */
  answerMs: number
  pageMs: number
  /** Memory after that and a while in which nobody asked, bytes. */
  resident: number
}

/** Starts the console on a store that is there, asks at once and again until it answers, and leaves it alone. */
export async function startCold(options: ConsoleOptions & { port: number }, token: string): Promise<Cold> {
  const begun = performance.now()
  const starting = startConsole(options)
  try {
    const origin = `http://127.0.0.1:${options.port}`
    await answered(`${origin}/api/trpc/auth.me`, { authorization: `Bearer ${token}` })
    const answerMs = performance.now() - begun
    await answered(`${origin}/sign-in`)
    const pageMs = performance.now() - begun
    const { pid } = await starting
    await delay(IDLE_MS)
    return { answerMs, pageMs, resident: residentOf(pid) }
  } finally {
    await (await starting).stop({ keep: true })
  }
}

async function answered(url: string, headers: Record<string, string> = {}): Promise<void> {
  for (;;) {
    const answer = await fetch(url, { headers }).catch(() => null)
    await answer?.arrayBuffer()
    if (answer?.status === 200) return
    if (answer && answer.status !== 503) throw new Error(`${url} answered ${answer.status}.`)
    await delay(5)
  }
}
