import { readFileSync, renameSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { openGuide } from '@/db/testing/guides'
import { parseChoices } from './plan/choices-schema'
import { type Bench, openBench } from './testing/target'

const guide = openGuide('docs/migration.md')
const engine = inject('postgres')

describe.skipIf(!engine)('the guide to migration', () => {
  let bench: Bench
  beforeAll(async () => {
    bench = await openBench(engine as NonNullable<typeof engine>)
  })
  afterAll(() => bench.close())

  it('moves a file by its three commands', { timeout: 120_000 }, async () => {
    const { host, port, user, password, database } = bench.target
    const source = bench.file(`CREATE TABLE orders (id INTEGER PRIMARY KEY, placed TEXT NOT NULL, note TEXT);
      INSERT INTO orders VALUES (1, '2026-01-02 03:04:05', 'a'), (2, '2026-01-03 00:00:00', NULL)`)
    const folder = dirname(source)
    const env = { TARGET: `postgres://${user}@${host}:${port}/${database}`, PGPASSWORD: password }
    const types = (block: string) =>
      guide.types(block, folder, env).catch((error) => {
        throw new Error(`${error.message}\n${error.stdout}${error.stderr}`)
      })
    renameSync(source, join(folder, 'shop.db'))
    expect(await types('plan')).toContain('orders: 2 rows')
    expect(JSON.parse(readFileSync(join(folder, 'choices.json'), 'utf8')).tables).toHaveProperty('orders')
    expect(await types('run')).toContain('Both sides are equal: 1 tables, 2 rows.')
    expect(await types('validate')).toContain('Both sides are equal')
  })

  it('shows choices of the form that is taken', () => {
    const text = readFileSync(join(process.cwd(), 'docs/migration.md'), 'utf8')
    const [, json = ''] = /```json\n([\s\S]*?)```/.exec(text) ?? []
    expect(parseChoices(json)).toMatchObject({ version: 1, tables: { search: { plain: true } } })
  })
})
