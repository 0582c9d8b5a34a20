import { createPublicKey, type KeyObject } from 'node:crypto'
import type { Vault } from '@/server/vault'
import { publicKeyId, type Signer, signerOf } from './checkpoint'
import type { VerifyTask } from './verify-log'

/** The keys of the log: all derived from the master keys, none of them in the store. */
export interface AuditKeys {
  /** HMAC keys by their id, as rows name it. */
  macs: Map<string, Uint8Array>
  signer: Signer
  /** Public keys of checkpoints by their id, the current one first. */
  publicKeys: Map<string, KeyObject>
}

/** The log's keys from the current and the previous master keys. */
export function auditKeys(vault: Vault): AuditKeys {
  const signers = vault.keyIds.map((id) => signerOf(vault.key('audit-checkpoint', id)))
  return {
    macs: new Map(vault.keyIds.map((id) => [id, vault.key('audit', id)])),
    signer: signers[0] as Signer,
    publicKeys: new Map(signers.map(({ id, privateKey }) => [id, createPublicKey(privateKey)])),
  }
}

/** The same as plain data, for a thread that verifies. */
export const verifyingKeys = ({ macs, publicKeys }: AuditKeys): Pick<VerifyTask, 'macs' | 'publicKeys'> => ({
  macs: [...macs],
  publicKeys: [...publicKeys].map(([id, key]) => [id, pemOf(key)]),
})

export const pemOf = (key: KeyObject) => key.export({ format: 'pem', type: 'spki' }) as string

/** Reads one or more public keys in PEM. Throws when there is none, or one of another kind. */
export function readPublicKeys(pem: string): Map<string, KeyObject> {
  const blocks = pem.match(/-----BEGIN PUBLIC KEY-----[\s\S]*?-----END PUBLIC KEY-----/g) ?? []
  const keys = blocks.map((block) => createPublicKey(block))
  if (keys.length === 0 || keys.some((key) => key.asymmetricKeyType !== 'ed25519'))
    throw new Error('There is no Ed25519 public key in PEM in it.')
  return new Map(keys.map((key) => [publicKeyId(key), key]))
}
