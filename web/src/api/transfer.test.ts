import { describe, expect, it } from 'vitest'

import { filenameFrom } from './transfer'

describe('filenameFrom', () => {
  it('prefers the extended name', () => {
    expect(filenameFrom(`attachment; filename="x.pdf"; filename*=UTF-8''Caf%C3%A9%20plan.pdf`)).toBe('Café plan.pdf')
  })

  it('reads quoted and bare names', () => {
    expect(filenameFrom('attachment; filename="a b.pdf"')).toBe('a b.pdf')
    expect(filenameFrom('attachment; filename=a.pdf')).toBe('a.pdf')
  })

  it('has none for an inline answer', () => {
    expect(filenameFrom('inline')).toBeNull()
    expect(filenameFrom(null)).toBeNull()
  })
})
