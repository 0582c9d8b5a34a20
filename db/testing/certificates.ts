import { execFileSync } from 'node:child_process'
import { chownSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeFolder, removeFolder, serverIdentity } from './processes'

/** An authority that signs the certificates of servers on 127.0.0.1. */
export interface Authority {
  /** Its own certificate. */
  pem: string
  file: string
  /** Makes a server's certificate, for 127.0.0.1 unless it says otherwise; PostgreSQL's settings for it. */
  sign(name: string, subjects?: string): { ssl: 'on'; ssl_cert_file: string; ssl_key_file: string }
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']

/** A folder of authorities, made by openssl; `remove` takes it away. */
export function makeAuthorities(): { make(name: string): Authority; remove(): void } {
  const identity = serverIdentity()
  const folder = makeFolder('certificates', identity)
  const place = (name: string) => join(folder, name)
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' })
  const give = (file: string) => {
    if (identity.uid !== undefined && identity.gid !== undefined) chownSync(file, identity.uid, identity.gid)
    return file
  }
  function make(name: string): Authority {
    const [file, key] = [place(`${name}.pem`), place(`${name}.key`)]
    openssl('req', '-x509', ...KEY, '-subj', `/CN=${name}`, '-keyout', key, '-out', file)
    return {
      file,
      pem: readFileSync(file, 'utf8'),
      sign(server, subjects = 'IP:127.0.0.1') {
        const [request, serverKey, certificate] = ['csr', 'key', 'pem'].map((end) =>
          place(`${name}-${server}.${end}`),
        ) as [string, string, string]
        const subject = ['-subj', `/CN=${server}`, '-addext', `subjectAltName=${subjects}`]
        openssl('req', ...KEY, ...subject, '-keyout', serverKey, '-out', request)
        openssl(
          ...['x509', '-req', '-in', request, '-CA', file, '-CAkey', key, '-CAcreateserial'],
          ...['-days', '2', '-copy_extensions', 'copy', '-out', certificate],
        )
        return { ssl: 'on', ssl_cert_file: give(certificate), ssl_key_file: give(serverKey) }
      },
    }
  }
  return { make, remove: () => removeFolder(folder) }
}
