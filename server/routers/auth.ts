import { z } from 'zod'
import { HoldfastError, isHoldfastError } from '@/server/errors'
import {
  type AuthenticationResponseJSON,
  type FactorProof,
  newDeviceId,
  type SignedIn,
  type SignInResult,
} from '@/server/security'
import { passwordLength } from '@/server/security/passwords/passwords'
import { clearCookies, readCookie, setCookie } from '@/server/security/requests/cookies'
import { isBrowser } from '@/server/security/requests/origin'
import { callerOf } from '@/server/trpc/caller'
import type { Context } from '@/server/trpc/context'
import { procedure, publicProcedure, router } from '@/server/trpc/init'
import { email, givenPassword, newPassword, passkeyProof, personName, token } from './inputs'

/** A proof of the second factor: exactly one of a code and a passkey's answer. */
const proof = { code: z.string().min(1).max(100).optional(), passkey: passkeyProof.optional() }
const oneProof = { error: 'send either a code or a passkey' }
const provesOnce = ({ code, passkey }: { code?: unknown; passkey?: unknown }) =>
  (code === undefined) !== (passkey === undefined)

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

  /** Makes the first admin by the one-time set-up link, and signs in. */
  setUp: publicProcedure
    .input(z.strictObject({ token, email, name: personName, password: newPassword }))
    .mutation(async ({ ctx, input }) =>
      signedIn(ctx, await ctx.runtime.security.setUp(input, clientOf(ctx))),
    ),

  /** What a link of an invitation or a password reset is good for. */
  checkLink: publicProcedure
    .input(z.strictObject({ token }))
    .mutation(({ ctx, input }) => ctx.runtime.security.linkState(input.token)),

  /** Gives the password that a link asks for, and signs in by it. LINK_USED when it works no more. */
  useLink: publicProcedure
    .input(z.strictObject({ token, name: personName.optional(), password: newPassword }))
    .mutation(async ({ ctx, input }) =>
      signInAnswer(ctx, await ctx.runtime.security.useLink(input, clientOf(ctx))),
    ),

  /** By password. Where the user has a second factor the answer asks for it: `auth.verify` goes on. */
  signIn: publicProcedure
    .meta({ permission: 'public', rest: { method: 'POST', path: '/auth/login' } })
    .input(z.strictObject({ email, password: givenPassword }))
    .mutation(async ({ ctx, input }) =>
      signInAnswer(ctx, await ctx.runtime.security.signIn(input, clientOf(ctx))),
    ),

  /** The second factor of a sign-in: a code of an app, a backup code, or a passkey. */
  verify: publicProcedure
    .meta({ permission: 'public', rest: { method: 'POST', path: '/auth/verify' } })
    .input(z.strictObject({ challenge: token, ...proof }).refine(provesOnce, oneProof))
    .mutation(async ({ ctx, input: { challenge, ...given } }) =>
      signedIn(ctx, await ctx.runtime.security.verify(challenge, proofOf(given), clientOf(ctx))),
    ),

  /** What a browser needs to sign in by a passkey alone. */
  passkeyOptions: publicProcedure
    .input(z.strictObject({}))
    .mutation(({ ctx }) => ctx.runtime.security.passkeyOptions()),

  /** Signs in by a passkey's answer alone. */
  passkeySignIn: publicProcedure
    .input(z.strictObject({ passkey: passkeyProof }))
    .mutation(async ({ ctx, input }) =>
      signedIn(ctx, await ctx.runtime.security.signInByPasskey(input.passkey, clientOf(ctx))),
    ),

  /** The only procedure that rotates. A browser brings its refresh token as a cookie, a program in the body. */
  refresh: publicProcedure
    .meta({ permission: 'public', rest: { method: 'POST', path: '/auth/refresh' } })
    .input(z.strictObject({ refreshToken: token.optional() }))
    .mutation(async ({ ctx, input }) => {
      const { security } = ctx.runtime
      const given = isBrowser(ctx.headers)
        ? readCookie(ctx.headers, 'refresh', security.secure)
        : input.refreshToken
      if (!given) throw new HoldfastError('UNAUTHENTICATED', 'You are signed out.')
      try {
        return signedIn(ctx, await security.sessions.refresh(given, clientOf(ctx)))
      } catch (error) {
        const over = isHoldfastError(error) && error.code === 'SESSION_ENDED'
        if (over && isBrowser(ctx.headers)) clearCookies(ctx.resHeaders, security.secure)
        throw error
      }
    }),

  /** Ends the session, also when its access token has run out and only the refresh token is left. */
  signOut: publicProcedure
    .meta({ permission: 'public', rest: { method: 'POST', path: '/auth/logout' } })
    .input(z.strictObject({ refreshToken: token.optional() }))
    .mutation(async ({ ctx, input }) => {
      const { security } = ctx.runtime
      const browser = isBrowser(ctx.headers)
      const given = browser ? readCookie(ctx.headers, 'refresh', security.secure) : input.refreshToken
      await security.sessions.signOut({ session: ctx.session, refreshToken: given }, callerOf(ctx))
      if (browser) clearCookies(ctx.resHeaders, security.secure)
    }),

  /** Who asks, read from the store now: by this another program learns at once that a session has ended. */
  me: procedure('account:own')
    .meta({ permission: 'account:own', rest: { method: 'GET', path: '/auth/me' } })
    .query(({ ctx }) => ({ ...ctx.session, now: ctx.runtime.clock.now() })),

  /** By which factors this session can step up, and what a passkey needs for it. */
  stepUpOptions: procedure('account:own')
    .input(z.strictObject({}))
    .mutation(({ ctx }) => ctx.runtime.security.stepUpOptions(ctx.session)),

  /**
   * A fresh factor for one action with exactly this input. The grant goes into the header Holdfast-Step-Up. A
   * session gets a new access token with it, and the earlier ones stop working; an API key that was made for this
   * action needs no factor.
   */
  stepUp: procedure('auth:step-up')
    .meta({ permission: 'auth:step-up', rest: { method: 'POST', path: '/auth/step-up' } })
    .input(z.strictObject({ action: z.string().max(100), input: z.unknown(), ...proof }))
    .mutation(async ({ ctx, input: { action, input, ...given } }) => {
      const request = { action, input, proof: provesOnce(given) ? proofOf(given) : null }
      const { grant, signedIn: next } = await ctx.runtime.security.stepUp(ctx.session, request, callerOf(ctx))
      return { ...grant, ...(next ? signedIn(ctx, next) : { tokens: null }) }
    }),
})

function proofOf({
  code = '',
  passkey,
}: {
  code?: string
  passkey?: AuthenticationResponseJSON
}): FactorProof {
  return passkey ? { passkey } : { code }
}

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

function signInAnswer(ctx: Context, result: SignInResult) {
  if (result.state === 'signed-in') return { state: result.state, ...signedIn(ctx, result.signedIn) }
  return { state: result.state, ...result.asked, now: ctx.runtime.clock.now() }
}

/** Tokens as cookies for a browser, which never sees them; in the body for a program. */
function signedIn(ctx: Context, { session, accessToken, refreshToken }: SignedIn) {
  const { clock, security } = ctx.runtime
  const facts = { session, now: clock.now() }
  if (!isBrowser(ctx.headers)) return { ...facts, tokens: { accessToken, refreshToken } }
  const options = { secure: security.secure, now: facts.now }
  setCookie(ctx.resHeaders, 'access', accessToken, { ...options, expiresAt: session.accessExpiresAt })
  if (refreshToken) {
    setCookie(ctx.resHeaders, 'refresh', refreshToken, { ...options, expiresAt: session.expiresAt })
  }
  return { ...facts, tokens: null }
}
