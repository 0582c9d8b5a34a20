import { setImmediate as turn } from 'node:timers/promises'
import { beforeEach, describe, expect, it } from 'vitest'
import { type LogLevel, openLog } from './log'
import { apart, inScope, noteInScope } from './scope'

let lines: string[] = []
const open = (level: LogLevel = 'info') => openLog(level, (line) => lines.push(line))
const told = () => lines.map((line) => JSON.parse(line))

beforeEach(() => {
  lines = []
})

describe('the log', () => {
  it('writes one JSON object a line, of its level and above', () => {
    const log = open('warn')
    log.info({}, 'too little')
    log.warn({ node: 'a' }, 'something\nover two lines')
    log.error({}, 'worse')
    expect(lines.every((line) => line.indexOf('\n') === line.length - 1)).toBe(true)
    expect(told()).toEqual([
      { level: 'warn', time: expect.any(String), node: 'a', message: 'something\nover two lines' },
      { level: 'error', time: expect.any(String), message: 'worse' },
    ])
    expect(new Date(told()[0].time).toISOString()).toBe(told()[0].time)
  })

  it('tells name, code and stack of an error, and never its message: it can hold values', () => {
    const error = Object.assign(new Error('Failed query: … params: hunter2'), { code: '23505' })
    open().error({ error }, 'not saved')
    expect(told()[0].error).toMatchObject({ name: 'Error', code: '23505' })
    expect(told()[0].error.stack[0]).toMatch(/^at .*log\.test\.ts/)
    expect(lines[0]).not.toContain('hunter2')
  })

  it('hides what goes by the name of a secret, at the top and one below', () => {
    const secret = 'a-planted-secret'
    open().info({ password: secret, headers: { cookie: secret, authorization: secret, host: 'h' } }, 'asked')
    expect(lines[0]).not.toContain(secret)
    expect(told()[0]).toMatchObject({ password: '[hidden]', headers: { cookie: '[hidden]', host: 'h' } })
  })
})

describe('the scope of work', () => {
  it('stands in each of its lines, with what was learnt on the way', async () => {
    const log = open()
    const work = async (requestId: string, user?: string) =>
      inScope({ requestId }, async () => {
        log.info({}, 'begun')
        await turn()
        if (user) noteInScope({ user })
        await turn()
        log.info({}, 'ended')
      })
    await Promise.all([work('first', 'ada'), work('second')])
    expect(told().map(({ requestId, user, message }) => [requestId, user, message])).toEqual([
      ['first', undefined, 'begun'],
      ['second', undefined, 'begun'],
      ['first', 'ada', 'ended'],
      ['second', undefined, 'ended'],
    ])
  })

  it('is left by work that outlives it', () => {
    const log = open()
    inScope({ requestId: 'first' }, () => apart({ run: 'r1' }, () => log.info({}, 'copied')))
    expect(told()[0]).toMatchObject({ run: 'r1' })
    expect(told()[0]).not.toHaveProperty('requestId')
  })
})
