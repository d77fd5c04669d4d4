import { describe, expect, it } from 'vitest'

import { explain } from './messages'
import { ApiError, isApiError, parseRetryAfter, problemFrom } from './problem'

const problem = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  problemFrom(new Response(typeof body === 'string' ? body : JSON.stringify(body), { status, headers }), '/api/x')

describe('problemFrom', () => {
  it('keeps the codes of a problem document', async () => {
    const error = await problem(402, { error: 'quota_exceeded', reason: 'ai_requires_pro', detail: 'No.' })
    expect([error.code, error.reason, error.message]).toEqual(['quota_exceeded', 'ai_requires_pro', 'No.'])
  })

  it('takes the reason from the header when the body has none', async () => {
    const error = await problem(402, { error: 'quota_exceeded' }, { 'X-Quota-Reason': 'seats_exhausted' })
    expect(error.reason).toBe('seats_exhausted')
  })

  it('understands a page of the proxy by its status alone', async () => {
    const error = await problem(503, 'upstream connect error', { 'Retry-After': '3' })
    expect([error.code, error.retryAfter]).toEqual(['unavailable', 3])
  })

  it('finds the message of one input, also where the rule is over several', async () => {
    const error = await problem(422, {
      error: 'validation_failed',
      errors: [
        { field: 'email', message: 'is not an address' },
        { field: 'body', message: 'password: At least 8 characters.' },
      ],
    })
    expect(error.field('email')).toBe('is not an address')
    expect(error.field('password')).toBe('At least 8 characters.')
    expect(error.field('name')).toBeUndefined()
  })
})

describe('parseRetryAfter', () => {
  it('reads seconds and dates', () => {
    const now = Date.parse('2026-11-01T10:00:00Z')
    expect(parseRetryAfter('7', now)).toBe(7)
    expect(parseRetryAfter('Sun, 01 Nov 2026 10:00:30 GMT', now)).toBe(30)
    expect(parseRetryAfter('soon', now)).toBeNull()
  })
})

describe('isApiError', () => {
  it('asks for any or for one of some codes', () => {
    const error = new ApiError(409, '/api/x', { error: 'conflict' })
    expect(isApiError(error)).toBe(true)
    expect(isApiError(error, 'not_found', 'conflict')).toBe(true)
    expect(isApiError(error, 'not_found')).toBe(false)
    expect(isApiError(new Error('other'))).toBe(false)
  })
})

describe('settling', () => {
  it('is a service that lags a moment behind, not one that refuses or is down', () => {
    expect(new ApiError(409, '/api/x', { error: 'not_yet_consistent' }, 3).settling).toBe(true)
    expect(new ApiError(409, '/api/x', { error: 'conflict' }, 1).settling).toBe(false)
    expect(new ApiError(503, '/api/x', { error: 'unavailable' }, 1).settling).toBe(false)
  })
})

describe('explain', () => {
  it.each(['ai_requires_pro', 'active_cap_reached', 'monthly_cap_reached', 'seats_exhausted', 'storage_exhausted'])(
    'offers a bigger plan for %s',
    (reason) => {
      expect(explain(new ApiError(402, '/api/x', { error: 'quota_exceeded', reason })).upgrade).toBe(true)
    },
  )

  it('prefers what the server says about this very case', () => {
    const error = new ApiError(400, '/api/uploads', { error: 'active_content', detail: 'The PDF runs a script.' })
    expect(explain(error).hint).toBe('The PDF runs a script.')
  })

  it('says how long to wait', () => {
    expect(explain(new ApiError(429, '/api/x', { error: 'rate_limited' }, 30)).hint).toBe('Try again in 30 seconds.')
  })

  it('gives the request id of what it does not know', () => {
    const error = new ApiError(500, '/api/x', { error: 'internal_error', detail: 'Broken.', request_id: 'r-1' })
    expect(explain(error).hint).toBe('Broken. (request r-1)')
  })
})
