import AxeBuilder from '@axe-core/playwright'
import { expect, type Page } from '@playwright/test'

/** In both themes axe finds nothing wrong with the page as it stands, and nothing overflows sideways. */
export async function expectAccessible(page: Page): Promise<void> {
  const html = page.locator('html')
  const before = await html.getAttribute('class')
  for (const theme of ['light', 'dark']) {
    await html.evaluate((element, name) => {
      element.classList.remove('light', 'dark', 'theme-system')
      element.classList.add(name)
    }, theme)
    const { violations } = await new AxeBuilder({ page }).analyze()
    expect(violations.map(({ id, nodes }) => [theme, id, nodes.map((node) => node.html)])).toEqual([])
  }
  await html.evaluate((element, classes) => element.setAttribute('class', classes), before ?? '')
  expect(await html.evaluate((element) => element.scrollWidth - element.clientWidth)).toBe(0)
}
