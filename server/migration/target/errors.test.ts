import { describe, expect, it } from 'vitest'
import { isConnectionLoss, targetError } from './errors'

const target = { host: 'db', port: 5432, database: 'shop', user: 'mover' }
const told = (code: string, message = 'as the server says it') =>
  targetError(Object.assign(new Error(message), { code }), target)

describe('an error of the target', () => {
  it.each([
    ['53100', 'TARGET_FULL'],
    ['53200', 'TARGET_BUSY'],
    ['53300', 'TARGET_BUSY'],
    ['55P03', 'TARGET_BUSY'],
    ['57014', 'TARGET_BUSY'],
    ['40P01', 'TARGET_BUSY'],
    ['25006', 'TARGET_READ_ONLY'],
    ['57P01', 'TARGET_LOST'],
    ['57P02', 'TARGET_LOST'],
    ['57P03', 'TARGET_UNREACHABLE'],
    ['08006', 'TARGET_LOST'],
    ['ECONNREFUSED', 'TARGET_UNREACHABLE'],
    ['ECONNRESET', 'TARGET_LOST'],
  ])('%s can heal, and is %s with the server’s words', (code, ours) => {
    const error = told(code)
    expect(error).toMatchObject({
      code: ours,
      heals: true,
      message: expect.stringContaining('as the server says it'),
    })
    expect(error.remedy).not.toBe('')
  })

  it.each([
    ['28P01', 'TARGET_AUTHENTICATION'],
    ['42501', 'TARGET_RIGHTS'],
    ['3D000', 'TARGET_UNREACHABLE'],
    ['57P04', 'TARGET_UNREACHABLE'],
    ['22P02', 'VALUE_REFUSED'],
    ['23505', 'VALUE_REFUSED'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'TARGET_UNREACHABLE'],
    ['XX000', 'INTERNAL'],
  ])('%s waits for somebody, and is %s', (code, ours) => {
    expect(told(code)).toMatchObject({ code: ours, heals: false })
  })

  it('names table and column of a refused value, and quotes names in what to run', () => {
    const refused = Object.assign(new Error('invalid'), {
      code: '22P02',
      where: 'COPY items, line 3, column price: "x"',
    })
    expect(targetError(refused, target)).toMatchObject({ table: 'items', column: 'price' })
    expect(targetError({ code: '3D000', message: '' }, { ...target, database: 'a"b' }).remedy).toContain(
      '"a""b"',
    )
  })

  it('of a driver without a code is a lost connection where it says so', () => {
    expect(isConnectionLoss(new Error('Connection terminated unexpectedly'))).toBe(true)
    expect(isConnectionLoss(new Error('relation "x" does not exist'))).toBe(false)
  })
})
