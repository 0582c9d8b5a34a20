import { appRouter } from '@/server/routers/_app'
import { restHandler } from '@/server/trpc/rest'

const handle = restHandler(appRouter)

export {
  handle as DELETE,
  handle as GET,
  handle as HEAD,
  handle as OPTIONS,
  handle as PATCH,
  handle as POST,
  handle as PUT,
}
