import { describe, expect, it } from 'vitest'

import { isState, limitWords } from './words'

describe('limitWords', () => {
  it('counts in the unit of the call', () => {
    expect(limitWords({ value: 250, unit: 'words' })).toBe('at most 250 words')
    expect(limitWords({ value: 1, unit: 'pages' })).toBe('at most 1 page')
    expect(limitWords(null)).toBe('')
  })
})

describe('isState', () => {
  it('takes what an address may hold with care', () => {
    expect(isState('uncovered')).toBe(true)
    expect(isState('toString')).toBe(false)
    expect(isState(undefined)).toBe(false)
  })
})
