import { describe, expect, it } from 'vitest'
import { networkOf } from '../sign-in/attempts'
import { contains, type Network, networksAround, parseNetwork } from './network'

const network = (text: string) => parseNetwork(text) as Network

describe('a network', () => {
  it.each([
    ['203.0.113.9', '203.0.113.9'],
    [' 203.0.113.9/32 ', '203.0.113.9'],
    ['203.0.113.9/24', '203.0.113.0/24'],
    ['10.255.0.1/9', '10.128.0.0/9'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['::FFFF:203.0.113.9/120', '203.0.113.0/24'],
    ['2001:DB8:0:1::5', '2001:db8:0:1::/64'],
    ['2001:db8:0:1::5/128', '2001:db8:0:1::/64'],
    ['2001:db8:0:1::5/64', '2001:db8:0:1::/64'],
    ['2001:db8:0:1::5/48', '2001:db8::/48'],
    ['fd00::/8', 'fd00::/8'],
  ])('%s is %s', (text, expected) => {
    expect(parseNetwork(text)?.text).toBe(expected)
  })

  it.each([
    '',
    'unknown',
    '127.1',
    '0177.0.0.1',
    '1.2.3.4/33',
    '1.2.3.4/-1',
    '1.2.3.4/8/8',
    'fe80::1%eth0',
    '::/129',
    "1.2.3.4' or 1=1",
  ])('%j is none', (text) => {
    expect(parseNetwork(text)).toBeNull()
  })

  it('of one client is written as the limits count it', () => {
    for (const address of ['203.0.113.9', '2001:db8::1', '2001:db8:0:1:2:3:4:5', '::1']) {
      expect(network(address).text).toBe(networkOf(address))
    }
  })
})

describe('containment', () => {
  it.each([
    ['10.0.0.0/8', '10.1.2.3', true],
    ['10.0.0.0/8', '11.1.2.3', false],
    ['203.0.113.128/25', '203.0.113.127', false],
    ['203.0.113.128/25', '203.0.113.128/26', true],
    ['203.0.113.128/26', '203.0.113.128/25', false],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['2001:db8::/48', '2001:db8:0:1::9', true],
    ['2001:db8::/48', '2001:db8:1::9', false],
    ['203.0.113.9', '203.0.113.9', true],
  ])('%s contains %s: %s', (outer, inner, expected) => {
    expect(contains(network(outer), network(inner))).toBe(expected)
  })

  it('is found again among the networks around, each of which contains it', () => {
    for (const text of ['203.0.113.9', '203.0.113.128/25', '2001:db8:0:1::/64']) {
      const around = networksAround(network(text))
      expect(around[0]).toBe(text)
      expect(around).toHaveLength(network(text).bits + 1)
      for (const wider of around) expect(contains(network(wider), network(text))).toBe(true)
    }
    expect(networksAround(network('203.0.113.9'))).toContain('203.0.112.0/20')
  })
})
