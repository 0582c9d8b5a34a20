import { version } from '@/package.json'
import { appRouter } from '@/server/routers/_app'
import { getRuntime } from '@/server/running'
import { openApiDocument } from '@/server/trpc/openapi/document'

/** Describes every REST address (OpenAPI 3.1). It holds nothing that is not in the source, so anybody may read it. */
export async function GET(): Promise<Response> {
  const { env } = await getRuntime()
  const document = openApiDocument(appRouter, { url: env.HOLDFAST_URL, version })
  return Response.json(document, { headers: { 'cache-control': 'no-store' } })
}
