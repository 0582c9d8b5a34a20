import AxeBuilder from '@axe-core/playwright'
import { expect, type Page } from '@playwright/test'

/** The rules of axe that look at colours: nothing else differs between the themes. */
const colourRules = ['color-contrast', 'link-in-text-block']

/** In both themes axe finds nothing wrong with the page as it stands, and nothing overflows sideways. */
export async function expectAccessible(page: Page): Promise<void> {
  const html = page.locator('html')
  const before = await html.getAttribute('class')
  for (const theme of ['light', 'dark']) {
    await html.evaluate((element, name) => {
      element.classList.remove('light', 'dark', 'theme-system')
      element.classList.add(name)
    }, theme)
    const axe = new AxeBuilder({ page })
    const { violations } = await (theme === 'light' ? axe : axe.withRules(colourRules)).analyze()
    expect(violations.map(({ id, nodes }) => [theme, id, nodes.map((node) => node.html)])).toEqual([])
  }
  await html.evaluate((element, classes) => element.setAttribute('class', classes), before ?? '')
  expect(await html.evaluate((element) => element.scrollWidth - element.clientWidth)).toBe(0)
}

/** The same on a desk and on a telephone. */
export async function expectAccessibleAtBothWidths(page: Page): Promise<void> {
  for (const width of [1440, 320]) {
    await page.setViewportSize({ width, height: 900 })
    await expectAccessible(page)
  }
  await page.setViewportSize({ width: 1440, height: 900 })
}
