import { describe, expect, it } from 'vitest'

import { creationOptions, fromBase64Url, requestOptions, toBase64Url } from './webauthn'

describe('base64url', () => {
  it.each([[[]], [[0]], [[251, 255, 190]], [[1, 2, 3, 4]]])('%j goes there and back', (bytes) => {
    const text = toBase64Url(Uint8Array.from(bytes).buffer)
    expect(text).not.toMatch(/[+/=]/)
    expect([...fromBase64Url(text)]).toEqual(bytes)
  })
})

describe('creationOptions', () => {
  it('turns the challenge and every id into bytes, and leaves the rest', () => {
    const made = creationOptions({
      challenge: '-_8',
      rp: { id: 'localhost', name: 'Bidwright' },
      user: { id: 'AQI', name: 'ada@example.com', displayName: 'Ada' },
      pubKeyCredParams: [{ type: 'public-key', alg: -7 }],
      excludeCredentials: [{ id: 'Aw', type: 'public-key', transports: ['internal'] }],
    })
    expect(made.challenge).toEqual(Uint8Array.of(251, 255))
    expect(made.user).toEqual({ id: Uint8Array.of(1, 2), name: 'ada@example.com', displayName: 'Ada' })
    expect(made.excludeCredentials).toEqual([{ id: Uint8Array.of(3), type: 'public-key', transports: ['internal'] }])
    expect(made.rp.id).toBe('localhost')
  })
})

describe('requestOptions', () => {
  it('allows any passkey where none is named', () => {
    expect(requestOptions({ challenge: 'AQ' })).toMatchObject({ challenge: Uint8Array.of(1), allowCredentials: [] })
  })
})
