import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { client, send, sessionLost } from './client'
import { unavailable } from './health'
import { selectOrg } from './org'
import { ApiError } from './problem'

const answers = vi.fn<(request: Request) => Promise<Response>>()

beforeEach(() => {
  vi.stubGlobal('fetch', answers)
  answers.mockReset()
})
afterEach(() => {
  vi.unstubAllGlobals()
  selectOrg(null)
  unavailable.set(new Set())
})

const answer = (status: number, body?: unknown) =>
  answers.mockResolvedValueOnce(new Response(body === undefined ? null : JSON.stringify(body), { status }))
const get = (path: string) => send(new Request(new URL(path, location.origin)))

describe('send', () => {
  it('names the organisation', async () => {
    selectOrg('org-1')
    answer(200, {})
    await get('/api/proposals')
    expect(answers.mock.calls[0]?.[0].headers.get('X-Org-ID')).toBe('org-1')
  })

  it('throws a refusal as ApiError', async () => {
    answer(404, { error: 'not_found' })
    await expect(get('/api/proposals/1')).rejects.toMatchObject({ status: 404, code: 'not_found' })
  })

  it('notes which part is down, and that it is back', async () => {
    answer(503, {})
    await expect(get('/api/exports')).rejects.toBeInstanceOf(ApiError)
    expect([...unavailable.get()]).toEqual(['exports'])
    answer(200, {})
    await get('/api/exports')
    expect(unavailable.get().size).toBe(0)
  })

  it('does not call a part down when an outside party does not answer', async () => {
    answer(503, { error: 'provider_unavailable' })
    await expect(get('/api/ai/write')).rejects.toBeInstanceOf(ApiError)
    expect(unavailable.get().size).toBe(0)
  })

  it('tells of a lost session, but not while signing in', async () => {
    const before = sessionLost.get()
    answer(401, { error: 'unauthenticated' })
    await expect(get('/api/auth/login')).rejects.toBeInstanceOf(ApiError)
    answer(401, { error: 'unauthenticated' })
    await expect(get('/api/auth/passkeys/sign-in')).rejects.toBeInstanceOf(ApiError)
    expect(sessionLost.get()).toBe(before)
    answer(401, { error: 'unauthenticated' })
    await expect(get('/api/auth/sessions')).rejects.toBeInstanceOf(ApiError)
    expect(sessionLost.get()).toBe(before + 1)
    answer(401, { error: 'unauthenticated' })
    await expect(get('/api/usage')).rejects.toBeInstanceOf(ApiError)
    expect(sessionLost.get()).toBe(before + 2)
  })

  it('speaks of the network when there was no answer', async () => {
    answers.mockRejectedValueOnce(new TypeError('Failed to fetch'))
    await expect(get('/api/usage')).rejects.toMatchObject({ status: 0, code: 'network' })
  })
})

describe('client', () => {
  it('is the generated one and goes through send', async () => {
    answer(200, { items: [], next_cursor: null })
    const { data } = await client.GET('/api/proposals', { params: { query: { q: 'water' } } })
    expect(data).toEqual({ items: [], next_cursor: null })
    expect(new URL(answers.mock.calls[0]?.[0].url ?? '').search).toBe('?q=water')
  })
})
