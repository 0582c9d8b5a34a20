import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openGuide } from '@/db/testing/guides'
import { type RedisServer, startRedis } from '@/db/testing/servers'
import { needsRedis } from '@/db/testing/shared'

const { runs, promised } = openGuide('docs/cache.md')

it('prints what the guide says, without Redis', async () => {
  expect(await runs('memory')).toBe(promised[1])
})

describe('on Redis', () => {
  needsRedis()
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(async () => {
    await server?.stop()
  })

  it('prints what the guide says', async () => {
    expect(await runs('prices', { REDIS_HOST: server.host, REDIS_PORT: String(server.port) })).toBe(
      promised[0],
    )
  })
})
