import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'

/** The log's end at a moment, signed, to be kept outside of the store: who cuts or rewrites the log can't sign it. */
export interface Checkpoint {
  epoch: number
  seq: number
  /** Of the event with that seq. */
  hash: string
  /** When it was signed, UTC milliseconds. */
  time: number
  /** Id of the public key. */
  key: string
  /** Ed25519, base64url. */
  signature: string
}

/** Signs checkpoints. */
export interface Signer {
  id: string
  privateKey: KeyObject
}

/** PKCS #8 of an Ed25519 key up to its seed (RFC 8410, section 7). */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')

/** The key pair of a seed of 32 bytes (RFC 8032, section 5.1.5). */
export function signerOf(seed: Uint8Array): Signer {
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' })
  return { id: publicKeyId(createPublicKey(privateKey)), privateKey }
}

/** The first 8 bytes of the SHA-256 of a public key (SPKI), in hex: a key in PEM needs no name beside it. */
export function publicKeyId(key: KeyObject): string {
  const spki = key.export({ format: 'der', type: 'spki' })
  return createHash('sha256').update(spki).digest('hex').slice(0, 16)
}

/** Signs the end of a log. */
export function signCheckpoint(
  end: Pick<Checkpoint, 'epoch' | 'seq' | 'hash' | 'time'>,
  signer: Signer,
): Checkpoint {
  const { epoch, seq, hash, time } = end
  const unsigned = { epoch, seq, hash, time, key: signer.id }
  return { ...unsigned, signature: sign(null, signed(unsigned), signer.privateKey).toString('base64url') }
}

/** Whether the signature is of this checkpoint and made with the key of this public one. */
export function isSigned(checkpoint: Checkpoint, publicKey: KeyObject): boolean {
  return verify(null, signed(checkpoint), publicKey, Buffer.from(checkpoint.signature, 'base64url'))
}

/** The bytes that are signed: each field as `length:text`, so that no two checkpoints share them. */
function signed({ epoch, seq, hash, time, key }: Omit<Checkpoint, 'signature'>): Buffer {
  const fields = ['holdfast-checkpoint-1', epoch, seq, hash, time, key].map(String)
  return Buffer.from(fields.map((field) => `${field.length}:${field}`).join(''))
}

/** One line of a checkpoint file, without its end. */
export function checkpointLine({ epoch, seq, hash, time, key, signature }: Checkpoint): string {
  return JSON.stringify({ epoch, seq, hash, time, key, signature })
}

/** Reads a line back; undefined when it is none. The signature is not looked at. */
export function parseCheckpoint(line: string): Checkpoint | undefined {
  let value: Partial<Checkpoint> | null
  try {
    value = JSON.parse(line) as Partial<Checkpoint> | null
  } catch {
    return undefined
  }
  const { epoch, seq, hash, time, key, signature } = value ?? {}
  const numbers = [epoch, seq, time].every((number) => Number.isSafeInteger(number) && Number(number) >= 0)
  const texts = [hash, key, signature].every((text) => typeof text === 'string')
  return numbers && texts ? ({ epoch, seq, hash, time, key, signature } as Checkpoint) : undefined
}
