/** The process answers. Nothing else is asked, so that a store that is away doesn't get the process restarted. */
export function GET(): Response {
  return Response.json({ status: 'live' }, { headers: { 'cache-control': 'no-store' } })
}
