import { MigrationError } from '../failure'
import { connectTarget, disconnect } from '../target/target'
import type { Target } from '../types'

const EVERY_MS = 10_000
/** Longer than a connection may take to be made: what is told then is the driver's word. */
const PATIENCE_MS = 12_000

export interface Watchdog {
  /** Rejects with TARGET_LOST when the target has not answered twice in a row; never resolves. */
  readonly lost: Promise<never>
  end(): void
}

/**
 * Asks the target now and then over a new connection. A connection behind which the network or the server has gone
 * silently says nothing at all: a statement on it would wait for hours.
 */
export function watchTarget(target: Target): Watchdog {
  let over = false
  let timer: NodeJS.Timeout | undefined
  let lose = (_: Error) => {}
  const lost = new Promise<never>((_, reject) => {
    lose = reject
  })
  lost.catch(() => {})

  async function look(silent: number): Promise<void> {
    const answered = await answers(target)
    if (over) return
    if (answered) next(0)
    else if (silent === 0) next(1)
    else {
      lose(
        new MigrationError(
          'TARGET_LOST',
          `${target.host}:${target.port} has not answered for ${Math.round((EVERY_MS + 2 * PATIENCE_MS) / 1000)} s, though its connections seem open.`,
          'Look whether the server hangs or the network between drops packets. The run then goes on by itself.',
        ),
      )
    }
  }

  function next(silent: number): void {
    timer = setTimeout(() => void look(silent), EVERY_MS).unref()
  }

  next(0)
  return {
    lost,
    end() {
      over = true
      clearTimeout(timer)
    },
  }
}

/** A refusal is an answer, too: what it means is for those to say who work there. */
async function answers(target: Target): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const silence = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, PATIENCE_MS, false)
  })
  const asked = connectTarget(target, 'holdfast migration watch').then(
    async (client) => {
      await disconnect(client)
      return true
    },
    (error) => !/timeout expired/.test((error as Error).message),
  )
  const answered = await Promise.race([asked, silence])
  clearTimeout(timer)
  return answered
}
