import { expect, type Page } from '@playwright/test'
import axe from 'axe-core'

/** The rules of axe that look at colours: nothing else differs between the themes. */
const COLOURS = ['color-contrast', 'link-in-text-block']

/** What axe looks at only when it is asked: targets of 24 px. */
const ASKED: axe.RunOptions['rules'] = { 'target-size': { enabled: true } }

/** In both themes axe finds nothing wrong with the page as it stands, nothing overflows sideways, and forms keep secrets. */
export async function expectAccessible(page: Page): Promise<void> {
  // To bring it there takes as long as to run it: once for each page that is loaded.
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe.source)
  const html = page.locator('html')
  const before = await html.getAttribute('class')
  const found = [
    ...(await violations(page, 'light', { rules: ASKED })),
    ...(await violations(page, 'dark', { runOnly: COLOURS })),
  ]
  await html.evaluate((element, classes) => element.setAttribute('class', classes), before ?? '')
  expect(found).toEqual([])
  // A form inside another is never heard of by React, and goes by itself; so does one whose script has not come yet.
  // Then what was typed must not be in the address.
  await expect(page.locator('form form')).toHaveCount(0)
  await expect(page.locator('form:not([method=post])')).toHaveCount(0)
  expect(await html.evaluate((element) => element.scrollWidth - element.clientWidth)).toBe(0)
}

/** The same on a desk and on a telephone. */
export async function expectAccessibleAtBothWidths(page: Page): Promise<void> {
  for (const width of [1440, 320]) {
    await page.setViewportSize({ width, height: 900 })
    // What overflows at this width is measured with the next frame.
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))))
    await expectAccessible(page)
  }
  await page.setViewportSize({ width: 1440, height: 900 })
}

/** What axe finds wrong in a theme: the rule, and the elements that break it. */
async function violations(page: Page, theme: string, options: axe.RunOptions = {}) {
  return page.evaluate(
    async ({ theme, options }) => {
      const html = document.documentElement
      html.classList.remove('light', 'dark', 'theme-system')
      html.classList.add(theme)
      // What fades in, or changes its colour, is judged as it stays. What never ends, pulses.
      const ending = document
        .getAnimations()
        .filter(({ effect }) => effect?.getComputedTiming().endTime !== Number.POSITIVE_INFINITY)
      await Promise.allSettled(ending.map(({ finished }) => finished))
      const { axe } = window as unknown as { axe: typeof import('axe-core') }
      const { violations } = await axe.run(options)
      // What is scrolled half under the strip is only as small as it happens to be there.
      const covered = ({ any }: axe.NodeResult) =>
        any.some(({ data }) => /obscured/i.test(data?.messageKey ?? ''))
      return violations
        .map(({ id, nodes }) => ({
          id,
          nodes: id === 'target-size' ? nodes.filter((node) => !covered(node)) : nodes,
        }))
        .filter(({ nodes }) => nodes.length > 0)
        .map(({ id, nodes }) => [theme, id, nodes.map((node) => node.html)])
    },
    // Lists of what is right, and ways to name it, take most of its time.
    { theme, options: { resultTypes: ['violations'], selectors: false, ...options } as axe.RunOptions },
  )
}
