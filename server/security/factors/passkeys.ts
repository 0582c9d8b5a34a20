import type {
  AuthenticationResponseJSON,
  AuthenticatorTransport,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from '@simplewebauthn/server'
import { and, eq, lt } from 'drizzle-orm'
import { q, type Tx, type Work } from '@/db/unit'
import { challengeLife } from './challenges'

/** Loaded with the first passkey: half a second of CPU that no start and no command line has to wait for. */
const webauthn = () => import('@simplewebauthn/server')

/** The console as passkeys know it (WebAuthn: relying party). */
export interface RelyingParty {
  name: string
  /** Host of the console: a passkey answers to it alone. */
  id: string
  /** Its exact address, as the browser says it. */
  origin: string
}

export function relyingParty({ url, issuer }: { url: string; issuer: string }): RelyingParty {
  const { hostname, origin } = new URL(url)
  return { name: issuer, id: hostname, origin }
}

/** A passkey as far as a ceremony needs it. */
export interface StoredPasskey {
  id: string
  userId: string
  credentialId: string
  publicKey: string
  transports: string[]
}

const bytes = (base64url: string) => new Uint8Array(Buffer.from(base64url, 'base64url'))

/** The user as an authenticator knows it again: the bytes of its id, base64url. */
export const userHandle = (userId: string) => Buffer.from(userId).toString('base64url')

/** What `navigator.credentials.create` takes: a passkey that is kept by the authenticator and verifies its user. */
export async function creationOptions(
  rp: RelyingParty,
  user: { id: string; email: string; name: string; passkeys: StoredPasskey[] },
  challenge: string,
): Promise<PublicKeyCredentialCreationOptionsJSON> {
  const { generateRegistrationOptions } = await webauthn()
  return generateRegistrationOptions({
    rpName: rp.name,
    rpID: rp.id,
    userID: new Uint8Array(Buffer.from(user.id)),
    userName: user.email,
    userDisplayName: user.name,
    challenge: bytes(challenge),
    timeout: challengeLife,
    attestationType: 'none',
    excludeCredentials: user.passkeys.map(descriptor),
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
  })
}

/** What `navigator.credentials.get` takes. Without passkeys the browser offers those it holds for the console. */
export async function requestOptions(
  rp: RelyingParty,
  passkeys: StoredPasskey[],
  challenge: string,
): Promise<PublicKeyCredentialRequestOptionsJSON> {
  const { generateAuthenticationOptions } = await webauthn()
  return generateAuthenticationOptions({
    rpID: rp.id,
    challenge: bytes(challenge),
    timeout: challengeLife,
    userVerification: 'required',
    ...(passkeys.length > 0 ? { allowCredentials: passkeys.map(descriptor) } : {}),
  })
}

function descriptor({ credentialId, transports }: StoredPasskey) {
  return { id: credentialId, transports: transports as AuthenticatorTransport[] }
}

/** The challenge that a browser says was signed; null when the answer is malformed. Nothing is proved by it yet. */
export function claimedChallenge(response: { response: { clientDataJSON?: unknown } }): string | null {
  try {
    const said = response.response.clientDataJSON
    const { challenge } = JSON.parse(Buffer.from(String(said), 'base64url').toString('utf8')) as {
      challenge?: unknown
    }
    return typeof challenge === 'string' && challenge.length <= 200 ? challenge : null
  } catch {
    return null
  }
}

export interface NewPasskey {
  credentialId: string
  publicKey: string
  counter: number
  transports: string[]
  backedUp: boolean
}

export type Verified<T> = { ok: true; value: T } | { ok: false; reason: string }

/** Checks what an authenticator answered to {@link creationOptions} (WebAuthn level 3, 7.1). */
export async function verifyNewPasskey(
  rp: RelyingParty,
  response: RegistrationResponseJSON,
  challenge: string,
): Promise<Verified<NewPasskey>> {
  try {
    const { verifyRegistrationResponse } = await webauthn()
    const { registrationInfo, verified } = await verifyRegistrationResponse({
      ...{ response, expectedChallenge: challenge, expectedOrigin: rp.origin, expectedRPID: rp.id },
      requireUserVerification: true,
    })
    if (!verified || registrationInfo.credential.id !== response.id)
      return { ok: false, reason: 'passkey not valid' }
    const { credential, credentialBackedUp } = registrationInfo
    const value = {
      credentialId: credential.id,
      publicKey: Buffer.from(credential.publicKey).toString('base64url'),
      counter: credential.counter,
      transports: knownTransports.filter((each) => credential.transports?.includes(each)),
      backedUp: credentialBackedUp,
    }
    return { ok: true, value }
  } catch (error) {
    return { ok: false, reason: reasonOf(error) }
  }
}

const knownTransports = ['ble', 'cable', 'hybrid', 'internal', 'nfc', 'smart-card', 'usb']

export interface PasskeyUse {
  passkeyId: string
  counter: number
  backedUp: boolean
}

/** Checks a passkey's answer (WebAuthn level 3, 7.2), all but its counter: {@link spendPasskey} does that in its unit. */
export async function verifyPasskey(
  rp: RelyingParty,
  response: AuthenticationResponseJSON,
  { passkey, challenge }: { passkey: StoredPasskey; challenge: string },
): Promise<Verified<PasskeyUse>> {
  try {
    const handle = response.response.userHandle
    if (handle && handle !== userHandle(passkey.userId))
      return { ok: false, reason: 'passkey of another user' }
    const { verifyAuthenticationResponse } = await webauthn()
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      ...{ response, expectedChallenge: challenge, expectedOrigin: rp.origin, expectedRPID: rp.id },
      credential: { id: passkey.credentialId, publicKey: bytes(passkey.publicKey), counter: 0 },
      requireUserVerification: true,
    })
    if (!verified) return { ok: false, reason: 'wrong signature' }
    const { newCounter: counter, credentialBackedUp: backedUp } = authenticationInfo
    return { ok: true, value: { passkeyId: passkey.id, counter, backedUp } }
  } catch (error) {
    return { ok: false, reason: reasonOf(error) }
  }
}

const reasons: [RegExp, string][] = [
  [/origin/i, 'wrong origin'],
  [/RP ?ID/i, 'wrong relying party'],
  [/challenge/i, 'wrong challenge'],
  [/user verification/i, 'user not verified'],
]

/** A label for the audit log: the library's own words repeat what the client sent. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? `${error.name} ${error.message}` : ''
  return reasons.find(([pattern]) => pattern.test(text))?.[1] ?? 'passkey not valid'
}

/**
 * Notes a use. False when the counter did not grow, which is what a copy of the passkey looks like, or when it was
 * removed meanwhile. Authenticators that don't count always say 0.
 */
export function* spendPasskey(
  tx: Tx,
  { passkeyId, counter, backedUp, now }: PasskeyUse & { now: number },
): Work<boolean> {
  const { passkeys } = tx.tables
  const grown = counter === 0 ? eq(passkeys.counter, 0) : lt(passkeys.counter, counter)
  const used = yield* q(
    tx.db
      .update(passkeys)
      .set({ counter, backedUp, lastUsedAt: now })
      .where(and(eq(passkeys.id, passkeyId), grown))
      .returning({ id: passkeys.id }),
  )
  return used.length === 1
}
