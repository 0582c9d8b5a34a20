import { describe, expect, test } from 'vitest'
import { crumbsOf, matchWithin, patternOf, placeOf } from './place'

const OWN = 'app:holdfast:'
const place = (rest: Partial<ReturnType<typeof placeOf>> = {}) => ({
  ...placeOf(new URLSearchParams()),
  ...rest,
})

test('an address without anything shows the top of this cache’s own keys', () => {
  expect(place()).toEqual({ scope: 'ours', prefix: '', match: '' })
  expect(placeOf(new URLSearchParams('scope=all&prefix=a:&match=*b'))).toEqual({
    scope: 'all',
    prefix: 'a:',
    match: '*b',
  })
  expect(placeOf(new URLSearchParams('scope=nobody')).scope).toBe('ours')
})

describe('the folders above', () => {
  test('of our own keys begin behind the prefix of the cache', () => {
    expect(crumbsOf(place({ prefix: `${OWN}users:7:` }), OWN)).toEqual([
      { name: 'users', prefix: 'app:holdfast:users:' },
      { name: '7', prefix: 'app:holdfast:users:7:' },
    ])
    expect(crumbsOf(place({ prefix: OWN }), OWN)).toEqual([])
  })
  test('of all keys begin at the first letter', () => {
    expect(crumbsOf(place({ scope: 'all', prefix: OWN }), OWN).map(({ name }) => name)).toEqual([
      'app',
      'holdfast',
    ])
    expect(crumbsOf(place({ scope: 'all', prefix: 'a::b' }), OWN)).toEqual([
      { name: 'a', prefix: 'a:' },
      { name: '', prefix: 'a::' },
      { name: 'b', prefix: 'a::b' },
    ])
  })
})

describe('the pattern of what is shown', () => {
  test('stands behind the prefix for our own keys', () => {
    expect(patternOf(place({ prefix: `${OWN}users:` }), OWN)).toBe('users:*')
    expect(patternOf(place({ match: '*7' }), OWN)).toBe('*7')
  })
  test('takes a folder by its letters', () => {
    expect(patternOf(place({ scope: 'all', prefix: 'a*[1]\\x00\\:' }), OWN)).toBe('a\\*\\[1\\]\\x00\\\\:*')
  })
})

test('only a glob of any beginning goes on being meant in a folder', () => {
  expect(matchWithin('*7')).toBe('*7')
  expect(matchWithin('users:*')).toBe('')
})
