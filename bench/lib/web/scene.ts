import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, type BrowserContext, chromium } from '@playwright/test'
import { startPostgres } from '@/db/testing/servers'
import { admin } from '@/e2e/admin'
import { enrolByProgram, setUpByProgram } from '@/e2e/program'
import { freePort, startConsole } from '@/e2e/server'
import config from '@/playwright.config'
import { CASES, type Case, makeFile } from '../migrate/cases'
import { RunByProgram } from '../migrate/run-by-program'
import { giveCode, givePassword } from '../sign-in-page'
import { withoutLimits } from '../without-limits'

const WINDOW = 10
const SCALE = 0.02

/** The built console on SQLite with a completed migration, and a browser whose own context is signed in as its admin. */
export interface WebScene {
  url: string
  /** The page of the completed run. */
  runPath: string
  /** A context without cookies or cache. */
  fresh(): Promise<BrowserContext>
  /** A context like that, signed in. */
  signedIn(): Promise<BrowserContext>
  /** Where the browser takes DevTools connections: who comes by it works in the browser's default context. */
  debuggingPort: number
  /** That context, signed in or out. */
  byDefault(signedIn: boolean): Promise<void>
  stop(): Promise<void>
}

export async function openWebScene(): Promise<WebScene> {
  const undo: (() => unknown)[] = []
  const stop = async () => {
    for (const step of undo.splice(0).reverse()) await step()
  }
  try {
    const sources = mkdtempSync(join(tmpdir(), 'holdfast-bench-'))
    undo.push(() => rmSync(sources, { recursive: true, force: true }))
    chmodSync(sources, 0o755)
    makeFile(CASES.find(({ name }) => name === 'shop') as Case, join(sources, 'source.db'), SCALE)
    const postgres = await startPostgres()
    undo.push(() => postgres.stop())
    const { host, port, user, password } = postgres
    const { database } = await postgres.createDatabase()
    const served = await startConsole({
      root: process.cwd(),
      env: {
        ...{ DB_HOST: host, DB_PORT: String(port), DB_USER: user, DB_PASSWORD: password, DB_NAME: database },
        ...{ MIGRATION_SOURCE_DIRS: sources, TWO_FA_WINDOW: String(WINDOW) },
        // No context of the browser renews what the others use.
        JWT_ACCESS_EXPIRES_IN: '3h',
        ...withoutLimits,
      },
    })
    undo.push(() => served.stop())
    const first = await setUpByProgram(served)
    const { app, verified } = await enrolByProgram(served.url, first.accessToken, WINDOW)
    const token = verified.body.tokens?.accessToken ?? first.accessToken
    const run = await RunByProgram.create(served, { token, app }, join(sources, 'source.db'))
    await run.planned()
    await run.completed(await run.granted())

    const debuggingPort = await freePort()
    const browser = await launch(debuggingPort)
    undo.push(() => browser.close())
    const fresh = () => browser.newContext({ baseURL: served.url, viewport: { width: 1440, height: 900 } })
    const context = await fresh()
    const page = await context.newPage()
    await givePassword(page, admin.email, admin.password)
    await giveCode(page, app.next())
    const cookies = await context.cookies()
    await context.close()
    const attached = await chromium.connectOverCDP(`http://127.0.0.1:${debuggingPort}`)
    return {
      url: served.url,
      runPath: `/migration/${run.id}`,
      debuggingPort,
      byDefault: async (signedIn) => {
        const [own] = attached.contexts()
        await own?.clearCookies()
        if (signedIn) await own?.addCookies(cookies)
      },
      fresh,
      signedIn: async () => {
        const signed = await fresh()
        await signed.addCookies(cookies)
        return signed
      },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Chromium with its windows, where it is installed: the shell that tests use shows frames at other moments. */
function launch(port: number): Promise<Browser> {
  const { args = [], executablePath, ...options } = config.use?.launchOptions ?? {}
  const windowed = ['/usr/bin/chromium', executablePath].find((path) => path && existsSync(path))
  return chromium.launch({
    ...options,
    ...(windowed && { executablePath: windowed }),
    args: [...args, `--remote-debugging-port=${port}`],
  })
}
