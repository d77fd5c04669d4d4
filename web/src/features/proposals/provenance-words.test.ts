import { describe, expect, it } from 'vitest'

import { summary } from './provenance-words'

describe('the shares of a text', () => {
  it('make a hundred', () => {
    expect(summary({ person: 1, model: 1, both: 1 })).toBe('3 words: 34% by people, 33% by AI, 33% by both.')
    expect(summary({ person: 0, model: 9, both: 0 })).toBe('9 words: 100% by AI.')
    expect(summary({ person: 0, model: 0, both: 0 })).toBe('No words yet.')
  })
})
