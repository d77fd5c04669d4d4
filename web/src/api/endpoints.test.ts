import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { createProposal } from './endpoints'
import { unavailable } from './health'

const answers = vi.fn<(request: Request) => Promise<Response>>()
const lagging = { error: 'not_yet_consistent' }

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('fetch', answers)
  answers.mockReset()
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
  unavailable.set(new Set())
})

const answer = (status: number, body: unknown) =>
  new Response(JSON.stringify(body), { status, headers: { 'Retry-After': '1' } })

describe('a call to a service that has yet to hear of something', () => {
  it('is made again until it is answered', async () => {
    answers.mockResolvedValueOnce(answer(409, lagging))
    answers.mockResolvedValueOnce(answer(409, lagging))
    answers.mockResolvedValueOnce(answer(201, { id: 'p-1' }))
    const made = createProposal({ title: 'Water' })
    await vi.advanceTimersByTimeAsync(2_000)
    await expect(made).resolves.toEqual({ id: 'p-1' })
    expect(unavailable.get().size).toBe(0)
  })

  it('is given up after a while', async () => {
    answers.mockImplementation(() => Promise.resolve(answer(409, lagging)))
    const made = expect(createProposal({ title: 'Water' })).rejects.toMatchObject({ code: 'not_yet_consistent' })
    await vi.advanceTimersByTimeAsync(30_000)
    await made
    expect(answers.mock.calls.length).toBeLessThan(12)
  })

  it('is not made again when it was refused or the service is down', async () => {
    for (const [status, error] of [
      [409, 'conflict'],
      [503, 'unavailable'],
    ] as const) {
      answers.mockReset()
      answers.mockResolvedValueOnce(answer(status, { error }))
      await expect(createProposal({ title: 'Water' })).rejects.toMatchObject({ code: error })
      expect(answers).toHaveBeenCalledTimes(1)
    }
  })
})
