import { readFileSync } from 'node:fs'
import { ConfigurationError } from './env'

/**
 * Reads the certificates of the authorities that are trusted with PostgreSQL's, in PEM. Throws a ConfigurationError
 * that names `variable` when the file can't be read or holds none.
 */
export function readAuthority(file: string, variable: string): string {
  let pem: string
  try {
    pem = readFileSync(file, 'utf8')
  } catch (error) {
    throw new ConfigurationError(
      `${variable} names ${file}, which cannot be read (${(error as { code?: string }).code}). Check the path and its permissions.`,
    )
  }
  if (pem.includes('-----BEGIN CERTIFICATE-----')) return pem
  throw new ConfigurationError(
    `${variable} names ${file}, which holds no certificate; it takes a file in PEM.`,
  )
}
