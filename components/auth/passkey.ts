'use client'

import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from '@simplewebauthn/browser'
import { useSyncExternalStore } from 'react'
import type { RouterOutputs } from '@/server/routers/_app'

/** What the browser needs to ask for a passkey, and to make one, as the server says it. */
export type PasskeyRequest = RouterOutputs['auth']['passkeyOptions']['options']
export type PasskeyPlan = RouterOutputs['account']['beginPasskey']['options']
export type PasskeyAnswer = AuthenticationResponseJSON

/** Why the browser brought no passkey. It never reached the server: its code says what happened here. */
class PasskeyProblem extends Error {
  override name = 'PasskeyProblem'
  readonly code: string
  readonly remedy: string

  constructor(code: string, message: string, remedy: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.remedy = remedy
  }
}

/** The library comes with the first ceremony: most sign-ins never need it. */
const library = () => import('@simplewebauthn/browser')

/** Has the browser prove a passkey. Throws what a person can be told. */
export async function provePasskey(request: PasskeyRequest): Promise<PasskeyAnswer> {
  const { startAuthentication } = await library()
  const optionsJSON = request as PublicKeyCredentialRequestOptionsJSON
  return startAuthentication({ optionsJSON }).catch(explain)
}

/** Has the browser make a passkey. Throws what a person can be told. */
export async function makePasskey(plan: PasskeyPlan): Promise<RegistrationResponseJSON> {
  const { startRegistration } = await library()
  const optionsJSON = plan as PublicKeyCredentialCreationOptionsJSON
  return startRegistration({ optionsJSON }).catch(explain)
}

/** Takes back what the browser asks for, when nobody waits for it any more. */
export async function leavePasskey(): Promise<void> {
  const { WebAuthnAbortService } = await library()
  WebAuthnAbortService.cancelCeremony()
}

/** Whether this browser knows passkeys here: it withholds them on plain http away from localhost. */
export function usePasskeySupport(): boolean {
  return useSyncExternalStore(
    () => () => {},
    () => typeof window.PublicKeyCredential === 'function',
    () => true,
  )
}

function explain(error: unknown): never {
  const code = (error as { code?: string } | null)?.code
  const reason = error instanceof Error ? ((error.cause as Error | undefined)?.name ?? error.name) : ''
  const options = { cause: error }
  if (code === 'ERROR_AUTHENTICATOR_PREVIOUSLY_REGISTERED') {
    throw new PasskeyProblem(
      'PASSKEY_KNOWN',
      'This device holds a passkey of your account already.',
      'Use that one, or choose another device.',
      options,
    )
  }
  if (code === 'ERROR_INVALID_DOMAIN' || code === 'ERROR_INVALID_RP_ID') {
    throw new PasskeyProblem(
      'PASSKEY_ADDRESS',
      'Passkeys do not work at this address.',
      'Open the console by the name in HOLDFAST_URL, over https.',
      options,
    )
  }
  if (reason === 'NotAllowedError' || reason === 'AbortError') {
    throw new PasskeyProblem(
      'PASSKEY_NOT_GIVEN',
      'The browser gave no passkey: it was cancelled, or took too long.',
      'Try again, or use another way.',
      options,
    )
  }
  throw new PasskeyProblem(
    'PASSKEY_FAILED',
    'The browser could not use a passkey.',
    'Try again, or use another device or way.',
    options,
  )
}
