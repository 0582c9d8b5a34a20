import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { RunningConsole } from '@/e2e/server'

/** A user whose sessions take no second factor, and whose many sessions replace no one else's. */
export const viewer = { email: 'bob@example.org', password: 'another horse, another battery' }

/** Makes that user by the console's command line. */
export async function createViewer({ dataDir, url }: RunningConsole): Promise<void> {
  const args = ['create', '--email', viewer.email, '--name', 'Bob', '--role', 'viewer']
  const child = spawn(process.execPath, [join(process.cwd(), 'dist/cli/admin.mjs'), ...args], {
    stdio: ['pipe', 'ignore', 'inherit'],
    env: {
      ...{ PATH: process.env.PATH, NODE_ENV: 'production', HOLDFAST_ENV_FILE: '/dev/null' },
      ...{ HOLDFAST_DATA_DIR: dataDir, HOLDFAST_URL: url },
    },
  })
  child.stdin.end(viewer.password)
  const code = await new Promise((resolve) => child.on('close', resolve))
  if (code !== 0) throw new Error(`The viewer could not be made: exit code ${code}.`)
}
