import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { loadMasterKey, MasterKeyError, openVault } from './vault'

const folders: string[] = []

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-vault-'))
  folders.push(folder)
  return folder
}

describe('the vault', () => {
  it('opens what it sealed, in the same context alone', () => {
    const vault = openVault(randomBytes(32))
    const sealed = vault.seal('s3cret', 'connection|a')
    expect(sealed).not.toContain('s3cret')
    expect(vault.open(sealed, 'connection|a')).toBe('s3cret')
    expect(() => vault.open(sealed, 'connection|b')).toThrow()
  })

  it('refuses a sealed value of which one character was changed', () => {
    const vault = openVault(randomBytes(32))
    const sealed = vault.seal('s3cret', 'c')
    const at = sealed.length - 5
    const changed = sealed.slice(0, at) + (sealed[at] === 'A' ? 'B' : 'A') + sealed.slice(at + 1)
    expect(() => vault.open(changed, 'c')).toThrow()
  })

  it('opens with a previous master key what that key sealed, and nothing without it', () => {
    const [old, fresh] = [randomBytes(32), randomBytes(32)]
    const sealed = openVault(old).seal('s3cret', 'c')
    expect(openVault(fresh, [old]).open(sealed, 'c')).toBe('s3cret')
    expect(() => openVault(fresh).open(sealed, 'c')).toThrow(MasterKeyError)
  })

  it('derives another key for each purpose', () => {
    const vault = openVault(randomBytes(32))
    expect(vault.key('a')).toEqual(vault.key('a'))
    expect(vault.key('a')).not.toEqual(vault.key('b'))
    expect(vault.mac('a', 'x')).not.toEqual(vault.mac('b', 'x'))
  })

  it('derives the keys of previous master keys as those did, and none of an unknown one', () => {
    const [old, fresh] = [openVault(randomBytes(32)), randomBytes(32)]
    const previous = randomBytes(32)
    const rotated = openVault(fresh, [previous])
    expect(rotated.keyIds).toEqual([openVault(fresh).keyId, openVault(previous).keyId])
    expect(rotated.key('a', openVault(previous).keyId)).toEqual(openVault(previous).key('a'))
    expect(rotated.key('a')).toEqual(openVault(fresh).key('a'))
    expect(() => rotated.key('a', old.keyId)).toThrow(MasterKeyError)
  })
})

describe('the master key', () => {
  it('is made once, readable by its owner alone', () => {
    const folder = temporary()
    const first = loadMasterKey(folder, undefined)
    expect(first).toHaveLength(32)
    expect(loadMasterKey(folder, undefined)).toEqual(first)
    expect(statSync(join(folder, 'master.key')).mode & 0o777).toBe(0o600)
  })

  it('comes from the environment where it is given, and no file is made', () => {
    const folder = temporary()
    const key = randomBytes(32)
    expect(loadMasterKey(folder, key.toString('base64'))).toEqual(key)
    expect(() => readFileSync(join(folder, 'master.key'))).toThrow()
  })

  it('is refused when the file was cut, and the file is left as it is', () => {
    const folder = temporary()
    writeFileSync(join(folder, 'master.key'), 'c2hvcnQ=\n')
    expect(() => loadMasterKey(folder, undefined)).toThrow(MasterKeyError)
    expect(readFileSync(join(folder, 'master.key'), 'utf8')).toBe('c2hvcnQ=\n')
  })
})
