import type { Page } from '@playwright/test'

/** Gives e-mail address and password on the sign-in page. */
export async function givePassword(page: Page, email: string, password: string): Promise<void> {
  await page.goto('/sign-in')
  // A click before React has taken the page over is lost.
  await page.waitForFunction(() => Object.keys(document).some((name) => name.startsWith('__reactContainer$')))
  await page.getByLabel('E-mail').fill(email)
  await page.getByRole('textbox', { name: 'Password' }).fill(password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
}

/** Gives the code of an authenticator app after that; ends on the overview, signed in. */
export async function giveCode(page: Page, code: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Code' }).fill(code)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.waitForURL((url) => url.pathname === '/')
}
