import { type BrowserContext, expect, type Page, test as playwright } from '@playwright/test'
import { admin } from './admin'
import { type Authenticator, addAuthenticator, type Passkey } from './authenticator'
import { type ConsoleOptions, type RunningConsole, startConsole } from './server'

export { admin, expect }

/** Playwright's test, for which a page is there once every part of it is in its place. */
export const base = playwright.extend<{ context: BrowserContext }>({
  context: async ({ context }, use) => {
    context.on('page', settle)
    await use(context)
  },
})

/**
 * React streams parts of a page into hidden elements and moves them a moment later: until then they are there twice.
 * A click before React has taken the page over is lost.
 */
function settle(page: Page): void {
  const [goto, reload, arrive] = [page.goto.bind(page), page.reload.bind(page), page.waitForURL.bind(page)]
  const settled = () =>
    page.waitForFunction(
      () =>
        !document.querySelector('div[hidden][id^="S:"]') &&
        (!document.querySelector('script[src*="/_next/"]') ||
          Object.keys(document).some((name) => name.startsWith('__reactContainer$'))),
    )
  page.goto = async (...args) => {
    const response = await goto(...args)
    await settled()
    return response
  }
  page.reload = async (...args) => {
    const response = await reload(...args)
    await settled()
    return response
  }
  page.waitForURL = async (...args) => {
    await arrive(...args)
    await settled()
  }
}

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

/** The first admin's passkey on each console, by origin, as the set-up left it. */
const passkeys = new Map<string, Passkey>()
const authenticators = new WeakMap<Page, Authenticator>()

/** Gives a page the first admin's passkey, once. It answers whenever it is asked. */
export async function withPasskey(page: Page, origin: string): Promise<void> {
  if (authenticators.has(page)) return
  authenticators.set(page, await addAuthenticator(page, passkeys.get(origin)))
}

/** Remembers the passkey that was made on a page as the first admin's. */
export async function keepPasskey(page: Page): Promise<void> {
  const passkey = await authenticators.get(page)?.passkey()
  if (!passkey) throw new Error('The page has no authenticator.')
  passkeys.set(new URL(page.url()).origin, passkey)
}

/** Makes the first admin by the printed link, in the browser; ends on the overview, signed in. */
export async function setUp(page: Page, link: string): Promise<void> {
  await withPasskey(page, new URL(link).origin)
  await page.goto(link)
  await page.getByLabel('Name').fill(admin.name)
  await page.getByLabel('E-mail').fill(admin.email)
  await page.getByRole('textbox', { name: 'Password' }).fill(admin.password)
  await page.getByRole('button', { name: 'Make the admin account' }).click()
  await enrolPasskey(page)
  await page.waitForURL((url) => url.pathname === '/')
  await keepPasskey(page)
}

/** The first admins' cookies, by console, as the last test left them. */
const cookies = new Map<string, Awaited<ReturnType<BrowserContext['cookies']>>>()

/** Signs a console's first admin in, who is made by the first call. Answers whether this is the one. */
export async function asFirstAdmin(page: Page, { url, setUpLink }: RunningConsole): Promise<boolean> {
  const kept = cookies.get(url)
  if (kept) await page.context().addCookies(kept)
  else {
    await setUp(page, setUpLink ?? '')
    await keepSignedIn(page.context(), url)
  }
  return !kept
}

/** Keeps what a test leaves signed in, for the next one of its file. */
export async function keepSignedIn(context: BrowserContext, url: string): Promise<void> {
  const left = await context.cookies(url)
  if (left.length > 0) cookies.set(url, left)
}

/** On the page that asks an admin for a second factor: a passkey, made by the page's own authenticator. */
export async function enrolPasskey(page: Page): Promise<void> {
  await page.waitForURL((url) => url.pathname === '/second-factor')
  await page.getByRole('button', { name: 'Add a passkey' }).click()
  await page.getByLabel('Name').fill('Test authenticator')
  await page.getByRole('button', { name: 'Make the passkey' }).click()
  await page.getByLabel('I saved them').check()
  await page.getByRole('button', { name: 'Finish' }).click()
}

/** Signs in on the sign-in page by the passkey that the set-up made, and ends where `next` says. */
export async function signIn(page: Page, next = '/'): Promise<void> {
  await page.goto(`/sign-in?next=${encodeURIComponent(next)}`)
  await withPasskey(page, new URL(page.url()).origin)
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
  await page.waitForURL((url) => `${url.pathname}${url.search}` === next)
}

/** In a dialog that asks for a fresh factor: the passkey, under the name of what it confirms. */
export async function stepUp(page: Page, action: string): Promise<void> {
  await withPasskey(page, new URL(page.url()).origin)
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: action, exact: true }).click()
  await expect(dialog).toBeHidden()
}

/** Calls a procedure with the page's own cookies and origin. */
export async function call(page: Page, path: string, input: unknown = {}) {
  return page.evaluate(
    async ([path, body]) => {
      const headers = { 'content-type': 'application/json' }
      const response = await fetch(`/api/trpc/${path}`, { method: 'POST', headers, body })
      return response.status
    },
    [path, JSON.stringify(input)] as const,
  )
}

/** Holds what a page asks for until `answer` is called. */
export async function held(page: Page, asked: RegExp): Promise<{ answer: () => void }> {
  let answer = () => {}
  const answered = new Promise<void>((resolve) => {
    answer = resolve
  })
  await page.route(asked, async (route) => {
    await answered
    await route.continue()
  })
  return { answer }
}
