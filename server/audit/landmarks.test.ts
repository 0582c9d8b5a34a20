import { expect, it } from 'vitest'
import { edgeInEvent, edgeOfEvent } from './landmarks'

const edge = { epoch: 12, seq: 345, hash: 'ab'.repeat(32) }
const told = (text: unknown) => edgeOfEvent({ after: JSON.stringify({ edge: text }) })

it('reads the edge that an event tells of', () => {
  expect(edgeOfEvent({ after: JSON.stringify(edgeInEvent(edge)) })).toEqual(edge)
})

it('reads none from anything else', () => {
  const { edge: text } = edgeInEvent(edge)
  for (const other of [`x${text}`, `${text}0`, `1${text.repeat(2)}`, text.toUpperCase(), '1:2', 7, null])
    expect(told(other), String(other)).toBeUndefined()
  for (const after of [null, 'no JSON', 'null', '7', '{}']) expect(edgeOfEvent({ after })).toBeUndefined()
})
