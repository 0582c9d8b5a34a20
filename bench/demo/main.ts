import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { password } from './people'
import { openScene, type Scene } from './scene'

/** npm run demo: a console on a busy stack, until Ctrl-C. */
const ROWS = 150_000

let scene: Scene | undefined
let stopping = false
const stop = async (code: number) => {
  if (stopping) return
  stopping = true
  console.log('Stopping …')
  await scene?.stop()
  process.exit(code)
}
process.on('SIGINT', () => void stop(0))
process.on('SIGTERM', () => void stop(0))

/** One line for each kind of failure: a demo that goes on for hours fills no screen. */
const told = new Set<string>()
function failed(error: unknown): void {
  const text = error instanceof Error ? error.message : String(error)
  if (stopping || told.has(text)) return
  told.add(text)
  console.log(`The demo: ${text}`)
}

try {
  console.log('PostgreSQL with a replica, a Redis Cluster of six, a console, a shop: up to a minute …')
  scene = await openScene({ rows: ROWS, failed })
  const { stack, admin, secret, backupCodes, code } = scene
  console.log(`
Sign in at  ${stack.console.url}
E-mail      ${admin.email}
Password    ${password}
Code        press Enter here for one, or give your authenticator app the key ${secret};
            these work once each, too: ${backupCodes.slice(0, 3).join(', ')}

A SQLite file waits under Migration, New migration; the target "Warehouse" takes it.
Ctrl-C stops all of it and removes its data.`)
  createInterface({ input: process.stdin }).on('line', () => console.log(`Code: ${code()}`))
  await migrate(scene)
} catch (error) {
  if (!stopping) {
    console.error(error)
    await stop(1)
  }
}

/** A run that is through, and one that is planned. */
async function migrate({ plan, start }: Scene): Promise<void> {
  await start(await plan('library'))
  await delay(5_000)
  await plan('another_library')
}
