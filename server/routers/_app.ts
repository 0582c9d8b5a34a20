import type { inferRouterInputs, inferRouterOutputs } from '@trpc/server'
import { createCallerFactory, router } from '@/server/trpc/init'
import { accountRouter } from './account'
import { authRouter } from './auth'
import { cacheRouter } from './cache'
import { databaseRouter } from './database'
import { migrationRouter } from './migration'
import { securityRouter } from './security'
import { systemRouter } from './system'

export const appRouter = router({
  auth: authRouter,
  account: accountRouter,
  system: systemRouter,
  database: databaseRouter,
  cache: cacheRouter,
  security: securityRouter,
  migration: migrationRouter,
})

export type AppRouter = typeof appRouter
export type RouterInputs = inferRouterInputs<AppRouter>
export type RouterOutputs = inferRouterOutputs<AppRouter>

export const createCaller = createCallerFactory(appRouter)
