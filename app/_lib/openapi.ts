import { cache } from 'react'
import { version } from '@/package.json'
import { appRouter } from '@/server/routers/_app'
import { getRuntime } from '@/server/running'
import { openApiDocument } from '@/server/trpc/openapi/document'

export type { JsonSchema, Operation, Parameter } from '@/server/trpc/openapi/document'
export { schemaOf } from '@/server/trpc/openapi/document'

/** The REST interface as the reference shows it, made once a request. */
export const getApi = cache(async () => {
  const { env } = await getRuntime()
  return openApiDocument(appRouter, { url: env.HOLDFAST_URL, version })
})
