import { test as base, type Page } from '@playwright/test'
import { admin } from './admin'
import { type ConsoleOptions, type RunningConsole, startConsole } from './server'

export { expect } from '@playwright/test'
export { admin }

/** Tests of one file share a console: `const test = consoleTest()`, then `async ({ page, console }) => …`. */
export function consoleTest(options: ConsoleOptions = {}) {
  return base.extend<{ baseURL: string }, { console: RunningConsole }>({
    console: [
      // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of what a fixture needs from it
      async ({}, use) => {
        const running = await startConsole(options)
        await use(running)
        await running.stop()
      },
      { scope: 'worker' },
    ],
    baseURL: async ({ console }, use) => use(console.url),
  })
}

/** Makes the first admin by the printed link, in the browser; ends on the overview, signed in. */
export async function setUp(page: Page, link: string): Promise<void> {
  await page.goto(link)
  await page.getByLabel('Name').fill(admin.name)
  await page.getByLabel('E-mail').fill(admin.email)
  await page.getByRole('textbox', { name: 'Password' }).fill(admin.password)
  await page.getByRole('button', { name: 'Make the admin account' }).click()
  await page.waitForURL((url) => url.pathname === '/')
}

/** Signs in on the sign-in page, and ends where `next` says. */
export async function signIn(page: Page, next = '/'): Promise<void> {
  await page.goto(`/sign-in?next=${encodeURIComponent(next)}`)
  await page.getByLabel('E-mail').fill(admin.email)
  await page.getByRole('textbox', { name: 'Password' }).fill(admin.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL((url) => `${url.pathname}${url.search}` === next)
}
