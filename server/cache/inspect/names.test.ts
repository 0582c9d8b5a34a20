import { expect, test } from 'vitest'
import { escapeGlob, globBytes, keyBytes, keyText, valueText } from './names'

test('a key of any bytes is written as text and read back the same', () => {
  for (const key of [
    Buffer.from('holdfast:users:1'),
    Buffer.from('größe:日本:🙂'),
    Buffer.from([0, 1, 2, 0xff, 0xfe, 0x41]),
    Buffer.from('a\\x41b\\xzz\\'),
    Buffer.from([0x5c, 0xff, 0x5c, 0x78, 0x34, 0x31]),
    Buffer.from([0xe2, 0x82]),
    Buffer.from([0xed, 0xa0, 0x80, 0x61]),
    Buffer.from('\u202eevil\u200b\n'),
    Buffer.from('\ufffd'),
    Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
  ]) {
    expect(keyBytes(keyText(key))).toEqual(key)
  }
  expect(keyText(Buffer.from([0x61, 0xff, 0x0a]))).toBe('a\\xff\\x0a')
})

test('two keys that differ never look alike', () => {
  expect(keyText(Buffer.from('\\x41'))).not.toBe(keyText(Buffer.from('A')))
  expect(keyText(Buffer.from('\\xff'))).not.toBe(keyText(Buffer.from([0xff])))
  expect(keyText(Buffer.from('a\u200bb'))).not.toBe('a\u200bb')
})

test('the text of a value keeps its lines', () => {
  expect(valueText(Buffer.from('a\n\tb\0'))).toBe('a\n\tb\\x00')
})

test('a prefix that holds glob characters matches itself alone', () => {
  expect(escapeGlob(Buffer.from('a*[b]?\\')).toString()).toBe('a\\*\\[b\\]\\?\\\\')
  expect(globBytes('u*\\x2a\\xff')).toEqual(Buffer.concat([Buffer.from('u*\\*'), Buffer.of(0xff)]))
})
