import { describe, expect, it } from 'vitest'

import { isFaithful, roundTrip } from './markdown'
import { countWords } from './words'

const DOCUMENT = `## Need

One in five households has **no** safe *water* and ~~no~~ little \`money\`.

- first
- second
    - nested

1. one
2. two

> Quoted words.

### More

See [the call](https://example.org/call).`

describe('roundTrip', () => {
  it('keeps what the editor knows, to the letter', () => {
    expect(roundTrip(DOCUMENT)).toBe(DOCUMENT)
  })

  it('escapes what would become markup, once', () => {
    const once = roundTrip('a_b_c and 2 * 3 * 4')
    expect(once).toBe('a\\_b\\_c and 2 \\* 3 \\* 4')
    expect(roundTrip(once)).toBe(once)
    expect(isFaithful('a_b_c and 2 * 3 * 4')).toBe(true)
  })

  it('is stable', () => {
    const once = roundTrip('* a\n* b\n\n__strong__ and _soft_\n\nline one\nline two')
    expect(roundTrip(once)).toBe(once)
  })

  it.each(['', 'plain', 'two\n\nparagraphs', 'line one\nline two', '```\ncode\n```'])('keeps %j', (text) => {
    expect(roundTrip(text)).toBe(text)
  })
})

describe('isFaithful', () => {
  it.each([
    DOCUMENT,
    '* starred\n* list',
    '__strong__ _soft_',
    'A [To complete: number of people] here',
    '3) odd list',
  ])('opens %j formatted', (text) => {
    expect(isFaithful(text)).toBe(true)
  })

  it.each(['| a | b |\n| - | - |\n| 1 | 2 |', '![chart](chart.png)', 'Note[^1]\n\n[^1]: the note'])(
    'leaves %j as source, since something would be lost',
    (text) => {
      expect(isFaithful(text)).toBe(false)
    },
  )
})

describe('countWords', () => {
  it('counts words, not marks', () => {
    expect(countWords('## Need\n\n- It’s **well-known** in São Paulo: 1,340')).toBe(8)
    expect(countWords('')).toBe(0)
  })
})
