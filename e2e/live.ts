import { expect, type Page } from '@playwright/test'

/** The live control, by the word that it says. */
export const control = (page: Page, word: string) => page.locator('header').getByText(word, { exact: true })

/** Opens a page and waits until its script hears keys: those that are pressed before are lost. */
export async function openAlive(page: Page, path: string): Promise<void> {
  await page.goto(path)
  await expect(control(page, 'Live')).toBeVisible()
}

/** When the figure under a label was measured, ms: every figure tells it. */
export async function measuredAt(page: Page, label: string): Promise<number> {
  const title = await page.locator('[title*="holdfast_"]', { hasText: label }).first().getAttribute('title')
  return Date.parse(/\d{4}-\d\d-\d\dT[\d:.]+Z/.exec(title ?? '')?.[0] ?? '')
}
