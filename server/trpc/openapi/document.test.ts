import { createConfig, lintFromString } from '@redocly/openapi-core'
import { Spectral } from '@stoplight/spectral-core'
import { oas } from '@stoplight/spectral-rulesets'
import { expect, it } from 'vitest'
import { appRouter } from '@/server/routers/_app'
import { openApiDocument } from './document'

const document = openApiDocument(appRouter, { url: 'https://console.example.org', version: '1.2.3' })
const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods))

it('passes the rules that Redocly recommends', async () => {
  const config = await createConfig({ extends: ['recommended'] })
  const source = JSON.stringify(document)
  const found = await lintFromString({ source, absoluteRef: 'openapi.json', config })
  expect(found.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer])).toEqual([])
})

it('passes Spectral’s rules for OpenAPI', async () => {
  const spectral = new Spectral()
  spectral.setRuleset({ extends: [[oas as never, 'recommended']], rules: {} })
  const found = await spectral.run(JSON.stringify(document))
  expect(found.map(({ code, message, path }) => [code, message, path.join('.')])).toEqual([])
})

it('says of every operation what it does, who may call it, and what it answers', () => {
  expect(operations.length).toBeGreaterThan(110)
  for (const { operationId, summary, description, responses } of operations) {
    expect(summary, operationId).toMatch(/^[A-Z].{10,}\.$/)
    expect(description, operationId).toMatch(/Anybody may call it\.$|Takes the permission [a-z-]+:[a-z-]+\.$/)
    expect('200' in responses || '204' in responses, operationId).toBe(true)
  }
})

it('describes a query’s fields in the address, and a change’s in the body', () => {
  const { get } = document.paths['/api/infrastructure/migration/status/{id}'] ?? {}
  expect(get?.parameters).toEqual([
    { name: 'id', in: 'path', required: true, schema: expect.objectContaining({ format: 'uuid' }) },
  ])
  const { post } = document.paths['/api/infrastructure/migration/start'] ?? {}
  expect(post?.requestBody?.content['application/json'].schema).toMatchObject({
    type: 'object',
    required: ['id'],
    additionalProperties: false,
  })
  expect(post?.parameters.map(({ name }) => name)).toEqual(['Holdfast-Step-Up', 'Idempotency-Key'])
})
