import { describe, expect, it } from 'vitest'

import { findWords, readPlace, seen } from './jump'

describe('a place in the address', () => {
  it('is two numbers in order', () => {
    expect(readPlace('3-12')).toEqual({ start: 3, end: 12 })
    for (const at of [undefined, '', '3', '12-3', '-1-2', '1-x', '1e3-2e3']) expect(readPlace(at)).toBeNull()
  })
})

describe('words that were Markdown', () => {
  it('are found where they are shown, over the borders of elements', () => {
    document.body.innerHTML =
      '<p>Before it.</p><ul><li><span>We reach <b>4,000</b> people</span> [call, p. 1].</li></ul>'
    const range = findWords(document.body, seen('- We reach **4,000** people \\[call, p. 1\\].'))
    expect(range?.toString()).toBe('We reach 4,000 people [call, p. 1].')
  })

  it('are not found where they have been changed', () => {
    document.body.innerHTML = '<p>Other words.</p>'
    expect(findWords(document.body, seen('We reach 4,000 people.'))).toBeNull()
    expect(findWords(document.body, '')).toBeNull()
  })
})
