import { describe, expect, it } from 'vitest'
import { clientAddress } from './address'

const proxies = ['10.0.0.0/8', '192.168.1.1', 'fd00::/8']

describe('clientAddress', () => {
  it('is the peer when no proxy is trusted, whatever the header says', () => {
    expect(clientAddress('203.0.113.9', '127.0.0.1', [])).toBe('203.0.113.9')
    expect(clientAddress('203.0.113.9', '1.1.1.1, 2.2.2.2', proxies)).toBe('203.0.113.9')
  })

  it('walks from the right to the first hop that is no trusted proxy', () => {
    expect(clientAddress('10.0.0.2', '198.51.100.7', proxies)).toBe('198.51.100.7')
    expect(clientAddress('10.0.0.2', '198.51.100.7, 10.1.1.1, 192.168.1.1', proxies)).toBe('198.51.100.7')
  })

  it('never believes what a client put before the first untrusted hop', () => {
    expect(clientAddress('10.0.0.2', '127.0.0.1, 10.0.0.1, 198.51.100.7', proxies)).toBe('198.51.100.7')
    expect(clientAddress('10.0.0.2', '10.9.9.9, 198.51.100.7, 10.1.1.1', proxies)).toBe('198.51.100.7')
  })

  it.each([
    'nonsense',
    'unknown',
    '198.51.100.7, ',
    '198.51.100.7,<script>',
    '1.2.3.4.5',
    '999.1.1.1',
    ',',
    '198.51.100.7\r\nX: 1',
  ])('means the peer when the header is malformed: %j', (header) => {
    expect(clientAddress('10.0.0.2', header, proxies)).toBe('10.0.0.2')
  })

  it('means the peer when every hop is a trusted proxy', () => {
    expect(clientAddress('10.0.0.2', '10.0.0.3, 10.0.0.4', proxies)).toBe('10.0.0.2')
  })

  it('reads mapped, bracketed, zoned and ported addresses', () => {
    expect(clientAddress('::ffff:10.0.0.2', '[2001:DB8::1]:443', proxies)).toBe('2001:db8::1')
    expect(clientAddress('fd00::1%eth0', '198.51.100.7:1234', proxies)).toBe('198.51.100.7')
    expect(clientAddress('::ffff:203.0.113.9', null, proxies)).toBe('203.0.113.9')
  })
})
