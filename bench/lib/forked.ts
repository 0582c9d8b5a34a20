import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** A bundled process below dist/ that answers each message by one of its own. */
export function forked<Order extends object, Answer>(name: string) {
  const child: ChildProcess = fork(join(process.cwd(), 'dist', `${name}.mjs`))
  const ended = once(child, 'exit')
  return {
    async ask(order: Order): Promise<Answer> {
      child.send(order)
      const [answer] = await Promise.race([
        once(child, 'message'),
        ended.then(([code]) => {
          throw new Error(`${name} ended with ${code}.`)
        }),
      ])
      if (answer.failed) throw new Error(answer.failed)
      return answer as Answer
    },
    async stop(): Promise<void> {
      child.kill()
      await ended
    },
  }
}
