import { statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type BrowserContext, chromium, type Page } from '@playwright/test'
import { giveCode, givePassword } from '@/bench/lib/sign-in-page'
import config from '@/playwright.config'
import { from, password } from './people'
import { openScene, type Scene } from './scene'

/** npm run screenshots: the pictures of README and docs, taken of a demo. Arguments name the ones to take. */
const ROWS = 1_200_000
/** Milliseconds that a page may take on a machine that carries the whole demo and a browser. */
const PATIENCE = 120_000
const MOST_BYTES = 200 * 1024
const folder = join(process.cwd(), 'docs/images')

interface Shot {
  name: string
  path: string
  /** Something that is there once the page has its data. */
  shows: (page: Page) => Promise<unknown>
}

const heading = (name: string | RegExp) => (page: Page) =>
  page.getByRole('heading', { name }).first().waitFor()

const SHOTS: Shot[] = [
  { name: 'overview', path: '/', shows: heading('Overview') },
  { name: 'database', path: '/database', shows: heading('Database') },
  {
    name: 'database-indexes',
    path: '/database/indexes',
    shows: (page) =>
      page
        .getByRole('article', { name: /orders \(customer_id/ })
        .first()
        .waitFor({ timeout: 120_000 }),
  },
  { name: 'cache', path: '/cache', shows: heading('Cache') },
  { name: 'events', path: '/security', shows: (page) => page.getByRole('row').nth(12).waitFor() },
  { name: 'findings', path: '/security/findings', shows: heading('Findings') },
]

const wanted = new Set(process.argv.slice(2))
const isWanted = (name: string) => wanted.size === 0 || wanted.has(name)

const scene = await openScene({ rows: ROWS, failed: (error) => console.log(String(error)) })
const browser = await chromium.launch(config.use?.launchOptions)
const context = await browser.newContext({
  baseURL: scene.stack.console.url,
  viewport: { width: 1440, height: 900 },
})
context.setDefaultTimeout(PATIENCE)
try {
  await filled(scene)
  const page = await signedIn(context, scene)
  for (const { name, path, shows } of SHOTS.filter((shot) => isWanted(shot.name))) {
    await page.goto(path)
    await shows(page)
    await inBothThemes(page, name)
  }
  if (isWanted('migration-run')) await running(page, scene)
  await page.close()
  if (isWanted('enrolment')) await enrolment(scene)
} finally {
  await browser.close()
  await scene.stop()
}
process.exit(0)

/** Waits until the attacks are found and there is something to see in charts. */
async function filled({ admin }: Scene): Promise<void> {
  const until = Date.now() + 600_000
  for (;;) {
    const { findings } = await admin.read('security/findings')
    if (findings.length >= 4) break
    if (Date.now() > until) throw new Error(`Only ${findings.length} findings were opened.`)
    await delay(1_000)
  }
  console.log('Everything has data; the charts get a minute more.')
  await delay(60_000)
}

async function signedIn(context: BrowserContext, { admin, code }: Scene): Promise<Page> {
  const page = await context.newPage()
  await givePassword(page, admin.email, password)
  await giveCode(page, code())
  return page
}

async function inBothThemes(page: Page, name: string): Promise<void> {
  // What is shown comes with the first HTML; charts take a moment to draw themselves.
  await delay(2_000)
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    await page.mouse.move(0, 0)
    const path = join(folder, `${name}-${colorScheme}.png`)
    await page.screenshot({ path, animations: 'disabled' })
    const { size } = statSync(path)
    console.log(`${name}-${colorScheme}.png ${Math.round(size / 1024)} KB`)
    if (size > MOST_BYTES) throw new Error(`${path} has ${size} bytes: ${MOST_BYTES} at most.`)
  }
  await page.emulateMedia({ colorScheme: 'light' })
}

/** A run in the middle of its copy. */
async function running(page: Page, { plan, start }: Scene): Promise<void> {
  const id = await plan('library')
  await page.goto(`/migration/${id}`)
  await page.getByRole('heading', { name: /library\.db/ }).waitFor()
  await start(id)
  await page.getByText('Rows per second', { exact: true }).first().waitFor({ timeout: 60_000 })
  await inBothThemes(page, 'migration-run')
}

/** Somebody new makes a second factor. */
async function enrolment({ admin, stack }: Scene): Promise<void> {
  const email = 'nora@example.org'
  const { link } = await admin.confirmed('security.inviteUser', { email, name: 'Nora New', role: 'admin' })
  await fetch(`${stack.console.url}/api/trpc/auth.useLink`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...from('192.0.2.40') },
    body: JSON.stringify({ token: link.split('#')[1], password }),
  })
  const other = await browser.newContext({
    baseURL: stack.console.url,
    viewport: { width: 1440, height: 900 },
  })
  other.setDefaultTimeout(PATIENCE)
  const page = await other.newPage()
  await givePassword(page, email, password)
  await page.waitForURL((url) => url.pathname === '/second-factor')
  await page.getByRole('button', { name: 'Set up an authenticator app' }).click()
  await page.getByRole('img', { name: 'QR code for your authenticator app' }).waitFor()
  await inBothThemes(page, 'enrolment')
  await other.close()
}
