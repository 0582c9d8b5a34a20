import { expect, it } from 'vitest'
import { following, positionOf } from './position'

const answer = async (
  from: Headers,
  work: (position: ReturnType<typeof positionOf>) => void,
  secure = true,
) => {
  const resHeaders = new Headers()
  const position = positionOf(from, secure)
  await following({ position, resHeaders, secure, now: 0 }, async () => work(position))
  return { cookies: resHeaders.getSetCookie(), header: resHeaders.get('holdfast-position'), position }
}

it('tells a session that wrote how far the log went, and believes it when it comes back', async () => {
  const wrote = await answer(new Headers(), (position) => position.note({ timeline: 2, lsn: 0x3000148n }))
  expect(wrote.header).toBe('2-0/3000148')
  expect(wrote.cookies).toEqual([
    '__Host-holdfast-position=2-0/3000148; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=600',
  ])
  for (const name of ['holdfast-position', 'cookie']) {
    const value = name === 'cookie' ? '__Host-holdfast-position=2-0/3000148' : '2-0/3000148'
    const next = await answer(new Headers({ [name]: value }), () => {})
    expect(next.position.place).toEqual({ timeline: 2, lsn: 0x3000148n })
    expect(next.cookies).toEqual([])
    expect(next.header).toBe(null)
  }
})

it('tells it when the session fails after its write, too', async () => {
  const resHeaders = new Headers()
  const position = positionOf(new Headers(), false)
  const failing = following({ position, resHeaders, secure: false, now: 0 }, async () => {
    position.note({ timeline: 1, lsn: 1n })
    throw new Error('after the write')
  })
  await expect(failing).rejects.toThrow('after the write')
  expect(resHeaders.getSetCookie()[0]).toMatch(/^holdfast-position=1-0\/1;/)
})

it.each([
  '',
  '0-0/1',
  '1-0',
  '1-0/1;x',
  '1-0/123456789',
  '99999999999-0/1',
  '1-0/1, 2-0/2',
  '-1-0/1',
  '1-0/g',
])('takes %j for no position', (text) => {
  expect(positionOf(new Headers({ 'holdfast-position': text }), false).place).toBe(null)
})
