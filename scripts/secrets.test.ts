import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { searchOutput } from './secrets.mjs'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-secrets-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const secret = 'a "horse", a battery & a staple'
const print = (text: string) => writeFileSync(join(folder, 'console.out'), `before\n${text}\nafter\n`)
const found = (text: string) => {
  print(text)
  writeFileSync(join(folder, 'planted'), `${JSON.stringify('another-secret')}\n${JSON.stringify(secret)}\n`)
  return searchOutput(folder)
}

it('finds a planted secret, however it is written', () => {
  const bytes = Buffer.from(secret)
  const written = [secret, encodeURIComponent(secret), JSON.stringify({ secret }), bytes.toString('base64')]
  for (const text of [...written, bytes.toString('base64url')]) {
    expect(found(`{"message":"${text}"}`)).toEqual({
      ...{ planted: 2, files: 1 },
      found: ['console.out holds the planted secret 2'],
    })
  }
})

it('finds what has the form of a secret, whoever made it', () => {
  const part = (of: object) => Buffer.from(JSON.stringify(of)).toString('base64url')
  const forms = [
    `${part({ alg: 'ES256', typ: 'JWT' })}.${part({ sub: 'a', exp: 1, iat: 1 })}.${'s'.repeat(43)}`,
    `hf_${'k'.repeat(43)}`,
    '$argon2id$v=19$m=65536',
    `-----BEGIN ${'PRIVATE'} KEY-----`,
    `otpauth:${'//'}totp/Holdfast:a?secret=B`,
    `whsec_${'w'.repeat(32)}`,
  ]
  for (const text of forms) expect(found(text).found).toHaveLength(1)
})

it('finds nothing in what tells none, nor in the link that a first start prints', () => {
  const link = 'Create the first admin here (the link works once): http://localhost/set-up#another-secret'
  expect(found(`{"message":"answered","path":"/api/auth/me","session":"kXk2h3h4"}\n${link}`).found).toEqual(
    [],
  )
})
