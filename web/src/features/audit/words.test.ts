import { describe, expect, it } from 'vitest'

import { actionWords, dayEnd, dayStart, details } from './words'

describe('actionWords', () => {
  it.each([
    ['key.revoked', 'Revoked an API key'],
    ['billing.seats_changed', 'Billing seats changed'],
  ])('%s is %s', (action, words) => {
    expect(actionWords(action)).toBe(words)
  })
})

describe('details', () => {
  it('reads as pairs, without what is empty', () => {
    expect(
      details({ before: 'member', scopes: ['org:read', 'ai:use'], seats: 0, note: '', by: null, more: { a: 1 } }),
    ).toEqual([
      ['Before', 'member'],
      ['Scopes', 'org:read, ai:use'],
      ['Seats', '0'],
      ['More', '{"a":1}'],
    ])
  })
})

describe('a day', () => {
  it('lasts from its midnight to the next, by the own clock', () => {
    expect(dayStart('2026-11-30')).toBe(new Date(2026, 10, 30).toISOString())
    expect(dayEnd('2026-11-30')).toBe(new Date(2026, 11, 1).toISOString())
  })

  it('is nothing where none is chosen', () => {
    expect([dayStart(''), dayEnd('tomorrow')]).toEqual([undefined, undefined])
  })
})
