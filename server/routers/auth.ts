import { z } from 'zod'
import { HoldfastError, isHoldfastError } from '@/server/errors'
import { newDeviceId, type SignedIn } from '@/server/security'
import { clearCookies, readCookie, setCookie } from '@/server/security/cookies'
import { isBrowser } from '@/server/security/origin'
import { passwordLength } from '@/server/security/passwords'
import { permissionsOf } from '@/server/security/roles'
import { callerOf } from '@/server/trpc/caller'
import type { Context } from '@/server/trpc/context'
import { procedure, publicProcedure, router } from '@/server/trpc/init'

const email = z.email('enter an e-mail address').max(254)
/** Nobody is told by its length that a password is wrong. */
const givenPassword = z
  .string()
  .min(1, 'enter your password')
  .max(4 * passwordLength.most)
/** NIST SP 800-63B-4 counts Unicode code points. */
const characters = (password: string) => [...password].length
const newPassword = z
  .string()
  .max(4 * passwordLength.most)
  .refine((password) => characters(password) >= passwordLength.least, {
    error: `use at least ${passwordLength.least} characters`,
  })
  .refine((password) => characters(password) <= passwordLength.most, {
    error: `use at most ${passwordLength.most} characters`,
  })
const name = z
  .string()
  .trim()
  .min(1, 'enter your name')
  .max(100, 'use at most 100 characters')
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'use letters only')
const token = z.string().max(200)

/** Sign-in, set-up, refresh and step-up. None of them may be batched: the client sends each by itself. */
export const authRouter = router({
  /** Whether the console waits for its first admin, and how long a password is. */
  setUpState: publicProcedure.query(async ({ ctx }) => ({
    needed: await ctx.runtime.security.needsSetUp(),
    passwordLength,
  })),

  /** Whether a set-up link would work now. A mutation, so that its token stands in no address. */
  checkSetUpLink: publicProcedure
    .input(z.strictObject({ token }))
    .mutation(async ({ ctx, input }) => ({ link: await ctx.runtime.security.setUpLinkState(input.token) })),

  setUp: publicProcedure
    .input(z.strictObject({ token, email, name, password: newPassword }))
    .mutation(async ({ ctx, input }) => answer(ctx, await ctx.runtime.security.setUp(input, clientOf(ctx)))),

  signIn: publicProcedure
    .input(z.strictObject({ email, password: givenPassword }))
    .mutation(async ({ ctx, input }) => answer(ctx, await ctx.runtime.security.signIn(input, clientOf(ctx)))),

  /** The only procedure that rotates. A browser brings its refresh token as a cookie, a program in the body. */
  refresh: publicProcedure
    .input(z.strictObject({ refreshToken: token.optional() }))
    .mutation(async ({ ctx, input }) => {
      const { security } = ctx.runtime
      const given = isBrowser(ctx.headers)
        ? readCookie(ctx.headers, 'refresh', security.secure)
        : input.refreshToken
      if (!given) throw new HoldfastError('UNAUTHENTICATED', 'You are signed out.')
      try {
        return answer(ctx, await security.refresh(given, clientOf(ctx)))
      } catch (error) {
        const over = isHoldfastError(error) && error.code === 'SESSION_ENDED'
        if (over && isBrowser(ctx.headers)) clearCookies(ctx.resHeaders, security.secure)
        throw error
      }
    }),

  /** Ends the session, also when its access token has run out and only the refresh token is left. */
  signOut: publicProcedure
    .input(z.strictObject({ refreshToken: token.optional() }))
    .mutation(async ({ ctx, input }) => {
      const { security } = ctx.runtime
      const browser = isBrowser(ctx.headers)
      const given = browser ? readCookie(ctx.headers, 'refresh', security.secure) : input.refreshToken
      await security.signOut({ session: ctx.session, refreshToken: given }, callerOf(ctx))
      if (browser) clearCookies(ctx.resHeaders, security.secure)
    }),

  me: procedure('account:own').query(({ ctx }) => ({
    ...ctx.session,
    now: ctx.runtime.clock.now(),
    permissions: permissionsOf(ctx.session.role),
  })),

  /** The password again, for one action with exactly this input. The grant goes into the header Holdfast-Step-Up. */
  stepUp: procedure('account:own')
    .input(z.strictObject({ action: z.string().max(100), input: z.unknown(), password: givenPassword }))
    .mutation(({ ctx, input: { action, input, password } }) =>
      ctx.runtime.security.stepUp(ctx.session, { action, input, password }, callerOf(ctx)),
    ),
})

function clientOf(ctx: Context) {
  return {
    by: callerOf(ctx),
    deviceId: readCookie(ctx.headers, 'device', ctx.runtime.security.secure) ?? madeFor(ctx),
  }
}

/** A browser without a device cookie gets one with its sign-in. */
function madeFor(ctx: Context): string | undefined {
  if (!isBrowser(ctx.headers)) return undefined
  const deviceId = newDeviceId()
  const { clock, security } = ctx.runtime
  setCookie(ctx.resHeaders, 'device', deviceId, { secure: security.secure, now: clock.now() })
  return deviceId
}

/** Tokens as cookies for a browser, which never sees them; in the body for a program. */
function answer(ctx: Context, { session, accessToken, refreshToken }: SignedIn) {
  const { clock, security } = ctx.runtime
  const facts = { session, now: clock.now() }
  if (!isBrowser(ctx.headers)) return { ...facts, tokens: { accessToken, refreshToken } }
  const options = { secure: security.secure, now: facts.now }
  setCookie(ctx.resHeaders, 'access', accessToken, { ...options, expiresAt: session.accessExpiresAt })
  setCookie(ctx.resHeaders, 'refresh', refreshToken, { ...options, expiresAt: session.expiresAt })
  return { ...facts, tokens: null }
}
