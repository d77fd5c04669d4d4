import { describe, expect, it } from 'vitest'

import { ago, bytes, plural } from './format'

describe('bytes', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1 KB'],
    [1_834_221, '1.7 MB'],
    [104_857_600, '100 MB'],
    [10_737_418_240, '10 GB'],
  ])('%d is %s', (n, text) => {
    expect(bytes(n)).toBe(text)
  })
})

describe('ago', () => {
  const now = Date.parse('2026-11-20T12:00:00Z')
  it.each([
    ['2026-11-20T11:59:50Z', 'just now'],
    ['2026-11-20T11:57:00Z', '3 minutes ago'],
    ['2026-11-19T12:00:00Z', 'yesterday'],
    ['2026-10-01T12:00:00Z', '1 Oct 2026'],
  ])('%s is %s', (iso, text) => {
    expect(ago(iso, now)).toBe(text)
  })
})

describe('plural', () => {
  it('has one and many', () => {
    expect([plural(1, 'seat'), plural(1200, 'seat')]).toEqual(['1 seat', '1,200 seats'])
  })
})
