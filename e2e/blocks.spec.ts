import type { Page } from '@playwright/test'
import { expectAccessible, expectAccessibleAtBothWidths } from './accessible'
import { consoleTest, expect, setUp, stepUp } from './fixtures'
import { askFrom } from './source'

const test = consoleTest({ env: { RATE_LIMIT_ENDPOINTS: 'auth.setUpState=3/1h', BLOCK_AFTER: '5/1h' } })

const table = (page: Page, name: string) => page.getByRole('table', { name, exact: true })

test('who goes on after a limit is shown as limited and blocked, and let in again by an admin’s factor', async ({
  page,
  console: running,
}) => {
  await setUp(page, running.setUpLink ?? '')
  await page.goto('/security/blocks')
  await expect(page.getByText('No network is blocked, and none was in the last 30 days')).toBeVisible()
  await expect(page.getByText('Nobody is limited now')).toBeVisible()
  await expect(table(page, 'Limits in force').getByRole('row', { name: /auth\.setUpState/ })).toContainText(
    '3 in 1 h',
  )
  await expectAccessible(page)

  // The page follows by itself.
  for (let call = 0; call < 9; call++) await askFrom(running, '127.0.0.9', '/api/trpc/auth.setUpState')
  const block = table(page, 'Blocks').getByRole('row', { name: /127\.0\.0\.9/ })
  await expect(block).toContainText('Blocked')
  await expect(block).toContainText('The limits')
  await expect(table(page, 'Limited now').getByRole('row', { name: /127\.0\.0\.9/ })).toContainText(
    'Procedure',
  )
  await expectAccessibleAtBothWidths(page)
  await expect.poll(async () => (await askFrom(running, '127.0.0.9', '/sign-in')).status).toBe(403)

  await block.getByRole('button', { name: 'Unblock 127.0.0.9' }).click()
  await stepUp(page, 'Unblock')
  await expect(block).toContainText('Lifted by')
  expect((await askFrom(running, '127.0.0.9', '/sign-in')).status).toBe(200)

  await page.getByRole('button', { name: 'Block a network' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Address or network').fill('127.0.0.0/8')
  await dialog.getByLabel('Reason').fill('a slip of the pen')
  await dialog.getByRole('button', { name: 'Block', exact: true }).click()
  await expect(dialog.getByRole('alert').getByText(/you would lock yourself out/)).toBeVisible()
  await expectAccessible(page)
  await dialog.getByLabel('Address or network').fill('203.0.113.0/24')
  await dialog.getByRole('button', { name: 'Block', exact: true }).click()
  await expect(table(page, 'Blocks').getByRole('row', { name: /203\.0\.113\.0\/24/ })).toContainText(
    'Blocked',
  )

  await page.getByRole('button', { name: 'Add a source' }).click()
  await dialog.getByLabel('Address or network').fill('198.51.100.0/24')
  await dialog.getByLabel('Owner').fill('Ana')
  await dialog.getByLabel('Reason').fill('office')
  await expectAccessible(page)
  await dialog.getByRole('button', { name: 'Go on' }).click()
  await page
    .getByRole('dialog', { name: 'Trust a network' })
    .getByRole('button', { name: 'Trust it' })
    .click()
  await expect(dialog).toHaveCount(0)
  const source = table(page, 'Trusted sources').getByRole('row', { name: /198\.51\.100\.0\/24/ })
  await expect(source).toContainText('Ana')
  await source.getByRole('button', { name: 'Remove 198.51.100.0/24' }).click()
  await dialog.getByRole('button', { name: 'Remove', exact: true }).click()
  await expect(page.getByText('No network is trusted')).toBeVisible()
})
