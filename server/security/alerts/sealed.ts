import type { Vault } from '@/server/vault'

/** Seals the secrets of a channel; what was sealed for one channel opens for no other. */
export function sealSecrets(vault: Vault, channelId: string, secrets: object): string {
  return vault.seal(JSON.stringify(secrets), contextOf(channelId))
}

/** Opens them. Throws MasterKeyError when they were sealed with a key that is not configured. */
export function openSecrets<T>(vault: Vault, channelId: string, sealed: string | null): T {
  if (sealed === null) throw new Error('The channel has no secrets.')
  return JSON.parse(vault.open(sealed, contextOf(channelId))) as T
}

const contextOf = (channelId: string) => `alert-channel|${channelId}`
