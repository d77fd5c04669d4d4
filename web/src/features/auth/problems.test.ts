import { describe, expect, it } from 'vitest'

import { problemOf, providerName } from './problems'

const CODES = ['invalid_oauth_state', 'email_unverified', 'oauth_denied', 'provider_unavailable']

describe('problemOf', () => {
  it.each([...CODES, 'something_new'])('%s is told in a sentence without the code', (code) => {
    const problem = problemOf(code)
    expect(problem?.title).toMatch(/^[A-Z]/)
    expect(problem?.hint).toMatch(/\.$/)
    expect(`${problem?.title} ${problem?.hint}`).not.toContain('_')
  })

  it('is nothing where there is no problem', () => {
    expect(problemOf(undefined)).toBeNull()
  })
})

describe('providerName', () => {
  it('is spelled as its owners do', () => {
    expect(['google', 'github', 'openid'].map(providerName)).toEqual(['Google', 'GitHub', 'Openid'])
  })
})
