import { getRuntime } from '@/server/running'

export const dynamic = 'force-dynamic'

/** The public keys by which other programs verify access tokens (RFC 7517). */
export async function GET(): Promise<Response> {
  const { security } = await getRuntime()
  return Response.json(await security.jwks(), {
    headers: { 'content-type': 'application/jwk-set+json', 'cache-control': 'public, max-age=300' },
  })
}
