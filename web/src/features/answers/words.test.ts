import { describe, expect, it } from 'vitest'

import { inAYear, opening, ownerName, sourceInWords, tagsOf, usesInWords } from './words'

describe('tagsOf', () => {
  it('takes each once, as it was first written', () => {
    expect(tagsOf(' Team,budget , team,, BUDGET ,risk')).toEqual(['Team', 'budget', 'risk'])
    expect(tagsOf(' , ')).toEqual([])
  })
})

describe('inAYear', () => {
  it('is a day that exists', () => {
    expect(inAYear(new Date('2026-11-24T23:30:00Z'))).toBe('2027-11-24')
    expect(inAYear(new Date('2028-02-29T12:00:00Z'))).toBe('2029-03-01')
  })
})

describe('what is said of an answer', () => {
  it('counts its uses', () => {
    expect([0, 1, 2].map((uses) => usesInWords({ uses }))).toEqual(['Not used yet', 'Used once', 'Used 2 times'])
  })

  it('names its owner, or says that there is none', () => {
    const people = [{ user_id: 'u-1', name: 'Ada Fenwick' }]
    expect(ownerName('u-1', people)).toBe('Ada Fenwick')
    expect(ownerName('u-2', people)).toBe('Someone who left')
    expect(ownerName(null, people)).toBe('Nobody')
  })

  it('tells where it came from as far as that is still there', () => {
    const source = { proposal_id: 'p', section_id: 's', question_id: null }
    expect(sourceInWords({ ...source, proposal_title: 'Water', section_title: 'Need' })).toBe('From Water, Need')
    expect(sourceInWords({ ...source, proposal_title: 'Water', section_title: null })).toBe('From Water')
    expect(sourceInWords({ ...source, proposal_title: null, section_title: null })).toBe('')
    expect(sourceInWords(null)).toBe('')
  })
})

describe('opening', () => {
  it('is the words without their marks', () => {
    expect(opening('## Safety\n\n- **Two** officers\n- [policy](https://example.org/x)')).toBe(
      'Safety Two officers policy',
    )
  })

  it('ends at a word', () => {
    expect(opening('one two three', 9)).toBe('one two …')
    expect(opening('x'.repeat(30), 9)).toBe(`${'x'.repeat(9)} …`)
  })
})
