import { render } from '@testing-library/react'
import { describe, expect, it } from 'vitest'

import type { DiffBlock } from '@/api'

import { changeInWords, DiffView } from './diff-view'
import { criteriaOf } from './panel'

const BLOCKS: DiffBlock[] = [
  { type: 'replace', before: 'One in five', after: 'More than 1,300' },
  { type: 'equal', before: ' households ', after: ' households ' },
  { type: 'delete', before: 'sadly ' },
  { type: 'equal', before: 'lack water', after: 'lack water' },
  { type: 'insert', after: '.' },
]

/** The text of all elements that are not of the other side. */
function side(root: HTMLElement, without: 'ins' | 'del'): string {
  const copy = root.cloneNode(true) as HTMLElement
  copy.querySelectorAll(`${without}, .sr-only`).forEach((node) => node.remove())
  return copy.textContent ?? ''
}

describe('DiffView', () => {
  it('shows the whole old and the whole new text', () => {
    const { container } = render(<DiffView blocks={BLOCKS} />)
    expect(side(container, 'ins')).toBe('One in five households sadly lack water')
    expect(side(container, 'del')).toBe('More than 1,300 households lack water.')
  })

  it('shows markup as text', () => {
    const { container } = render(<DiffView blocks={[{ type: 'insert', after: '<img src=x onerror=alert(1)>' }]} />)
    expect(container.querySelector('img')).toBeNull()
  })
})

describe('changeInWords', () => {
  it('tells how much of it changes', () => {
    expect(changeInWords([{ type: 'equal', before: 'a', after: 'a' }])).toBe('no change')
    expect(changeInWords([{ type: 'replace', before: 'old', after: 'new' }])).toBe('rewritten')
    expect(changeInWords(BLOCKS)).toBe('about half changed')
  })
})

describe('criteriaOf', () => {
  it('names the points where there are some', () => {
    expect(criteriaOf([{ title: 'Need', points: 20 }, { title: 'Reach', points: null }, 'Plain'])).toEqual([
      'Need (20 points)',
      'Reach',
      'Plain',
    ])
  })
})
