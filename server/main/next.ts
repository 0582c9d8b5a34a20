import type { EventEmitter } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import { join } from 'node:path'
import { ConfigurationError } from '@/server/env'
import type { Handler } from './http'

export type NextPlace = { root: string; dev: boolean; host: string; port: number; upgrades: EventEmitter }

/**
 * Loads Next as a custom server in `root`. These variables are how Next is told; they are written before it is
 * imported and read by nothing else. Throws a sentence when there is no build.
 */
export async function prepareNext({ root, dev, host, port, upgrades }: NextPlace): Promise<Handler> {
  Object.assign(process.env, {
    NODE_ENV: dev ? 'development' : 'production',
    NEXT_TELEMETRY_DISABLED: '1',
    // Next would leave as soon as HTTP is drained, before the runtime has closed.
    NEXT_MANUAL_SIG_HANDLE: 'true',
  })
  if (!dev) process.env.__NEXT_PRIVATE_STANDALONE_CONFIG = JSON.stringify(buildConfig(root))
  const { default: next } = await import('next')
  const app = next({
    dev,
    dir: root,
    hostname: host,
    port,
    quiet: true,
    // Next adds its upgrade listener to this; the real server's passes on what it has stamped.
    httpServer: upgrades as Server,
  })
  await (dev ? app.prepare() : quietly(() => app.prepare()))
  return app.getRequestHandler()
}

/** The configuration as the build resolved it: the standalone folder holds no next.config.mjs. */
function buildConfig(root: string): object {
  const path = join(root, '.next', 'required-server-files.json')
  if (!existsSync(path)) {
    throw new ConfigurationError('The console is not built: run "npm start", or "npm run build" once.')
  }
  return (JSON.parse(readFileSync(path, 'utf8')) as { config: object }).config
}

/** Next announces on standard output how long its configuration took; that is nobody's business. */
async function quietly(work: () => Promise<void>): Promise<void> {
  const { log } = console
  console.log = () => {}
  try {
    await work()
  } finally {
    console.log = log
  }
}
