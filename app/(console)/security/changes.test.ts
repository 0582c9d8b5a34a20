import { describe, expect, it } from 'vitest'
import { changesOf } from './changes'

describe('changesOf', () => {
  it('tells what changed, came, went and stayed', () => {
    const before = JSON.stringify({ role: 'viewer', name: 'Vic', old: 1 })
    const after = JSON.stringify({ role: 'admin', name: 'Vic', fresh: null })
    expect(changesOf(before, after)).toEqual([
      { path: 'role', kind: 'changed', before: 'viewer', after: 'admin' },
      { path: 'name', kind: 'same', before: 'Vic', after: 'Vic' },
      { path: 'old', kind: 'removed', before: '1', after: undefined },
      { path: 'fresh', kind: 'added', before: undefined, after: 'null' },
    ])
  })

  it('names nested fields by their path and keeps plain lists in a line', () => {
    expect(changesOf(null, '{"a":{"b":[1,2],"c":[{"d":true}]},"e":{}}')).toEqual([
      { path: 'a.b', kind: 'added', after: '1, 2' },
      { path: 'a.c.0.d', kind: 'added', after: 'true' },
      { path: 'e', kind: 'added', after: '{}' },
    ])
  })

  it('takes what is no JSON as it is, and nothing as nothing', () => {
    expect(changesOf('not json', null)).toEqual([
      { path: 'text', kind: 'removed', before: 'not json', after: undefined },
    ])
    expect(changesOf(null, null)).toEqual([])
  })
})
