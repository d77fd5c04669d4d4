import { describe, expect, it, vi } from 'vitest'

import { ApiError } from '@/api'

import { freshly, question, SignInCancelled } from './fresh'

const stale = () => new ApiError(403, '/api/auth/passkeys/options', { error: 'fresh_sign_in_required' })

describe('freshly', () => {
  it('asks nothing where the sign-in is fresh', async () => {
    await expect(freshly(() => Promise.resolve('done'))).resolves.toBe('done')
    expect(question.get()).toBeNull()
  })

  it('goes on with the action after the sign-in', async () => {
    const action = vi.fn<() => Promise<string>>().mockRejectedValueOnce(stale()).mockResolvedValueOnce('done')
    const done = freshly(action)
    await vi.waitFor(() => expect(question.get()).not.toBeNull())
    question.get()?.answer(true)
    await expect(done).resolves.toBe('done')
    expect(question.get()).toBeNull()
  })

  it('leaves it where the person does not sign in', async () => {
    const action = vi.fn<() => Promise<string>>().mockRejectedValue(stale())
    const done = expect(freshly(action)).rejects.toBeInstanceOf(SignInCancelled)
    await vi.waitFor(() => expect(question.get()).not.toBeNull())
    question.get()?.answer(false)
    await done
    expect(action).toHaveBeenCalledTimes(1)
  })

  it('has no answer to other refusals', async () => {
    await expect(freshly(() => Promise.reject(new ApiError(404, '/', {})))).rejects.toMatchObject({ status: 404 })
  })
})
