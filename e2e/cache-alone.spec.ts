import { expectAccessibleAtBothWidths } from './accessible'
import { consoleTest, expect, setUp, stepUp } from './fixtures'

const test = consoleTest()

test('without Redis the page says where the cache lives, and clears it there', async ({
  page,
  console: alone,
}) => {
  await setUp(page, alone.setUpLink ?? '')
  await page.goto('/database/tables')
  await expect(page.getByRole('table', { name: 'Tables', exact: true })).toBeVisible()
  await page.goto('/cache/keys')
  await expect(
    page.locator('#main').getByText('No Redis is configured: the cache lives in this process'),
  ).toBeVisible()
  await expect(page.locator('#main').getByText('REDIS_HOST')).toBeVisible()
  await expect(page.getByRole('table', { name: 'Namespaces' })).toContainText('statistics')
  await expect(page.getByRole('button', { name: 'Delete by pattern…' })).toHaveCount(0)
  await expectAccessibleAtBothWidths(page)
  await page.getByRole('button', { name: 'Clear…', exact: true }).click()
  await expect(page.getByRole('radio', { name: /^Everything in Redis/ })).toHaveCount(0)
  await page.getByRole('dialog').getByRole('button', { name: 'Go on' }).click()
  await page.getByRole('dialog').getByRole('textbox').fill('clear cache')
  await stepUp(page, 'Clear the cache')
  await expect(page.getByText(/^\d+ values? deleted\.$/)).toBeVisible()
})
