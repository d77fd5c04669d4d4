import { describe, expect, it } from 'vitest'

import { expiry, isOver } from './scopes'

const now = Date.parse('2026-11-20T12:00:00Z')

describe('expiry', () => {
  it('is so many days from now, or never', () => {
    expect(['30', '365', 'never'].map((lifetime) => expiry(lifetime, now))).toEqual([
      '2026-12-20T12:00:00.000Z',
      '2027-11-20T12:00:00.000Z',
      null,
    ])
  })
})

describe('isOver', () => {
  it.each([
    ['2026-11-20T11:59:59Z', true],
    ['2026-11-20T12:00:01Z', false],
    [null, false],
  ])('%j: %j', (at, over) => {
    expect(isOver(at, now)).toBe(over)
  })
})
