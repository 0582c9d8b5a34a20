import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/browser'
import { startAuthentication, startRegistration, WebAuthnAbortService } from '@simplewebauthn/browser'
import type { PasskeyAnswer, PasskeyMade, PasskeyPlan, PasskeyRequest } from './passkey'

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

export function prove(request: PasskeyRequest): Promise<PasskeyAnswer> {
  return startAuthentication({ optionsJSON: request as PublicKeyCredentialRequestOptionsJSON }).catch(explain)
}

export function make(plan: PasskeyPlan): Promise<PasskeyMade> {
  return startRegistration({ optionsJSON: plan as PublicKeyCredentialCreationOptionsJSON }).catch(explain)
}

export const leave = () => WebAuthnAbortService.cancelCeremony()

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
