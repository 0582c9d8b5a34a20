import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from '@simplewebauthn/server'

/** What an attacker, or a broken device, does otherwise. */
export interface Deviation {
  /** The site that the browser says it is on. */
  origin?: string
  /** The relying party that the authenticator says it answers. */
  rpId?: string
  challenge?: string
  /** Whether the authenticator knows who its user is. */
  userVerified?: boolean
  counter?: number
  userHandle?: string
  /** Signs with another key than the passkey's. */
  forged?: boolean
}

const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url')
const sha256 = (data: Uint8Array | string) => createHash('sha256').update(data).digest()

/** An authenticator in software with one passkey (WebAuthn level 3; ES256, no attestation), and its browser. */
export function openAuthenticator(origin: string) {
  const credentialId = base64url(randomBytes(32))
  const pair = newPair()
  let counter = 0
  let userHandle = ''

  const clientData = (type: string, challenge: string, from: string) =>
    Buffer.from(JSON.stringify({ type, challenge, origin: from, crossOrigin: false }))

  const frame = {
    id: credentialId,
    rawId: credentialId,
    type: 'public-key',
    clientExtensionResults: {},
  } as const

  return {
    credentialId,
    /** Answers `navigator.credentials.create`. */
    create(
      { challenge, rp, user }: PublicKeyCredentialCreationOptionsJSON,
      over: Deviation = {},
    ): RegistrationResponseJSON {
      userHandle = user.id
      const attested = Buffer.concat([
        Buffer.alloc(16),
        uint(2, 32),
        Buffer.from(credentialId, 'base64url'),
        coseKey(pair.publicKey),
      ])
      const authData = authenticatorData(over.rpId ?? rp.id ?? '', {
        counter: over.counter ?? counter,
        userVerified: over.userVerified ?? true,
        attested,
      })
      const attestation = new Map<string, unknown>([
        ['fmt', 'none'],
        ['attStmt', new Map()],
        ['authData', authData],
      ])
      const client = clientData('webauthn.create', over.challenge ?? challenge, over.origin ?? origin)
      const response = {
        clientDataJSON: base64url(client),
        attestationObject: base64url(cbor(attestation)),
        transports: ['internal', 'hybrid'],
      }
      return { ...frame, response }
    },
    /** Answers `navigator.credentials.get`. The counter grows with each use. */
    get(
      { challenge, rpId }: PublicKeyCredentialRequestOptionsJSON,
      over: Deviation = {},
    ): AuthenticationResponseJSON {
      counter += 1
      const authData = authenticatorData(over.rpId ?? rpId ?? '', {
        counter: over.counter ?? counter,
        userVerified: over.userVerified ?? true,
      })
      const client = clientData('webauthn.get', over.challenge ?? challenge, over.origin ?? origin)
      const key = over.forged ? newPair().privateKey : pair.privateKey
      const signature = sign('sha256', Buffer.concat([authData, sha256(client)]), key)
      const response = {
        clientDataJSON: base64url(client),
        authenticatorData: base64url(authData),
        signature: base64url(signature),
        userHandle: over.userHandle ?? userHandle,
      }
      return { ...frame, response }
    },
  }
}

export type Authenticator = ReturnType<typeof openAuthenticator>

const newPair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })

/** WebAuthn level 3, 6.1: hash of the relying party, flags, counter, and for a new passkey its key. */
function authenticatorData(
  rpId: string,
  { counter, userVerified, attested }: { counter: number; userVerified: boolean; attested?: Buffer },
): Buffer {
  const flags = { present: 0x01, verified: 0x04, backupEligible: 0x08, backedUp: 0x10, attested: 0x40 }
  const flag =
    flags.present |
    (userVerified ? flags.verified : 0) |
    flags.backupEligible |
    flags.backedUp |
    (attested ? flags.attested : 0)
  return Buffer.concat([sha256(rpId), uint(1, flag), uint(4, counter), attested ?? Buffer.alloc(0)])
}

/** RFC 9053: an EC2 key on P-256 for ES256. */
function coseKey(key: KeyObject): Buffer {
  const { x = '', y = '' } = key.export({ format: 'jwk' })
  const part = (value: string) => Buffer.from(value, 'base64url')
  return cbor(
    new Map<number, unknown>([
      [1, 2],
      [3, -7],
      [-1, 1],
      [-2, part(x)],
      [-3, part(y)],
    ]),
  )
}

/** RFC 8949, as far as WebAuthn needs it. */
function cbor(value: unknown): Buffer {
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value)
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)])
  if (value instanceof Uint8Array) return Buffer.concat([head(2, value.length), value])
  if (!(value instanceof Map)) throw new Error('No such thing is encoded here.')
  const entries = [...value].flatMap(([key, inner]) => [cbor(key), cbor(inner)])
  return Buffer.concat([head(5, value.size), ...entries])
}

function head(major: number, length: number): Buffer {
  if (length < 24) return uint(1, (major << 5) | length)
  return length < 256
    ? Buffer.concat([uint(1, (major << 5) | 24), uint(1, length)])
    : Buffer.concat([uint(1, (major << 5) | 25), uint(2, length)])
}

function uint(size: number, value: number): Buffer {
  const bytes = Buffer.alloc(size)
  bytes.writeUIntBE(value, 0, size)
  return bytes
}
