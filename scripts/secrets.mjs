// Searches what the tests' processes printed for secrets. Node built-ins alone.
import fs from 'node:fs'
import path from 'node:path'

/** What is a secret by its form, whoever made it. */
const FORMS = {
  'an access token': /eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}/,
  'an API key': /\bhf_[\w-]{43}\b/,
  'the hash of a password': /\$argon2id\$v=/,
  'a private key': /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  'the secret of an authenticator app': /otpauth:\/\/totp\//,
  'the secret of a webhook': /\bwhsec_[A-Za-z0-9+/=]{24,}/,
}

/** The one secret that is printed on purpose, on the standard output of a console without users. */
const SET_UP_LINK = /^Create the first admin here .*$/gm

/**
 * Looks through every `*.out` of a folder for the values in its file `planted`, as they are and as URLs, JSON and
 * base64 write them, and for what has the form of a secret. `found` names file and kind, and never the value.
 * @returns {{ planted: number, files: number, found: string[] }}
 */
export function searchOutput(folder) {
  const planted = readPlanted(path.join(folder, 'planted'))
  const files = fs.readdirSync(folder).filter((name) => name.endsWith('.out'))
  const found = files.flatMap((name) => {
    const text = fs.readFileSync(path.join(folder, name), 'utf8').replaceAll(SET_UP_LINK, '')
    const forms = Object.entries(FORMS).flatMap(([what, form]) => (form.test(text) ? [what] : []))
    const values = planted.flatMap((value, at) =>
      writingsOf(value).some((each) => text.includes(each)) ? [`the planted secret ${at + 1}`] : [],
    )
    return [...forms, ...values].map((what) => `${name} holds ${what}`)
  })
  return { planted: planted.length, files: files.length, found }
}

function readPlanted(file) {
  if (!fs.existsSync(file)) return []
  const lines = fs.readFileSync(file, 'utf8').split('\n')
  return [...new Set(lines.filter(Boolean).map((line) => JSON.parse(line)))]
}

/** How a value may stand in a text. */
function writingsOf(value) {
  const bytes = Buffer.from(value)
  return [
    value,
    encodeURIComponent(value),
    JSON.stringify(value).slice(1, -1),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
  ]
}
