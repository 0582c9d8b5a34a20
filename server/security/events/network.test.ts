import ipaddr from 'ipaddr.js'
import { describe, expect, it } from 'vitest'
import { bytesOf, liesIn, parseSought } from './network'

describe('bytesOf', () => {
  it.each(['0.0.0.0', '10.1.2.3', '255.255.255.255', '2001:db8::1', '::', 'fe80::1:2:3:4'])(
    'reads %s as ipaddr.js does',
    (address) => {
      expect(bytesOf(address)).toEqual(ipaddr.parse(address).toByteArray())
    },
  )

  it.each([
    ...[
      '',
      '.',
      '10',
      '10.1',
      '10.1.2',
      '10.1.2.',
      '.10.1.2',
      '10.1.2.3.',
      '10.1.2.3.4',
      '10..2.3',
      '256.1.1.1',
    ],
    ...[
      '010.1.2.3',
      '00.1.2.3',
      '0x7f.0.0.1',
      '10.1.2.3 ',
      ' 10.1.2.3',
      '10.1.2.-3',
      '1e1.1.1.1',
      'unix',
      'fe80::1%eth0',
      ':',
      '1:2',
    ],
  ])('takes %j for no address', (text) => {
    expect(bytesOf(text)).toBeNull()
  })
})

describe('parseSought', () => {
  it.each([
    ['10.1.2.3', '10.1.2.3', true],
    ['10.1.2.0/24', '10.1.2.255', true],
    ['10.1.2.0/24', '10.1.3.0', false],
    ['10.1.2.77/23', '10.1.3.9', true],
    ['0.0.0.0/0', '198.51.100.7', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['::/0', '10.1.2.3', false],
    ['2001:db8::/33', '2001:db8:7fff::1', true],
    ['2001:db8::/33', '2001:db8:8000::1', false],
    ['2001:DB8::1', '2001:db8:0:0::1', true],
    ['::ffff:10.1.2.0/120', '10.1.2.9', true],
    ['10.1.2.9', '::ffff:10.1.2.9', true],
    ['10.0.0.0/8', 'unix', false],
  ])('%s holds %s: %s', (network, address, expected) => {
    const sought = parseSought(network)
    expect(sought && liesIn(sought, address)).toBe(expected)
  })

  it.each([
    '',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '10.0.0.0/',
    '::/129',
    '::ffff:10.0.0.0/64',
    'example.org',
  ])('takes %j for no network', (text) => {
    expect(parseSought(text)).toBeNull()
  })
})
