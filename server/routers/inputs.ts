import { z } from 'zod'
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@/server/security'
import { passwordLength } from '@/server/security/passwords/passwords'

/** Inputs that several procedures take. */
export const id = z.uuid()
export const email = z.email('enter an e-mail address').max(254)

/** Nobody is told by its length that a password is wrong. */
export const givenPassword = z
  .string()
  .min(1, 'enter your password')
  .max(4 * passwordLength.most)

/** NIST SP 800-63B-4 counts Unicode code points. */
const characters = (password: string) => [...password].length

export const newPassword = z
  .string()
  .max(4 * passwordLength.most)
  .refine((password) => characters(password) >= passwordLength.least, {
    error: `use at least ${passwordLength.least} characters`,
  })
  .refine((password) => characters(password) <= passwordLength.most, {
    error: `use at most ${passwordLength.most} characters`,
  })

const line = (empty: string) =>
  z
    .string()
    .trim()
    .min(1, empty)
    .max(100, 'use at most 100 characters')
    .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'use letters only')

export const personName = line('enter your name')
export const label = line('enter a name')

/** A one-time token of a link, a refresh token or a challenge. */
export const token = z.string().min(1).max(200)

/** What a browser answers about a passkey; the WebAuthn library checks everything in it. */
const passkeyAnswer = z.looseObject({
  id: z.string().max(2_000),
  rawId: z.string().max(2_000),
  type: z.literal('public-key'),
  response: z.looseObject({}),
  clientExtensionResults: z.looseObject({}),
})
export const passkeyProof = passkeyAnswer as unknown as z.ZodType<AuthenticationResponseJSON>
export const newPasskey = passkeyAnswer as unknown as z.ZodType<RegistrationResponseJSON>
