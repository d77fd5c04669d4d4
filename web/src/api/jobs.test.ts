import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { followJob, JobFailed } from './jobs'

const answers = vi.fn<(request: Request) => Promise<Response>>()

beforeEach(() => {
  vi.stubGlobal('fetch', answers)
  answers.mockReset()
})
afterEach(() => vi.unstubAllGlobals())

/** A stream that arrives in the given pieces; with `broken` it ends by an error. */
function stream(pieces: string[], broken = false): Response {
  const encoder = new TextEncoder()
  const body = new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(encoder.encode(piece))
      if (broken) controller.error(new TypeError('connection lost'))
      else controller.close()
    },
  })
  return new Response(body, { headers: { 'Content-Type': 'text/event-stream' } })
}

const event = (id: string, name: string, data: unknown) =>
  `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`
const done = event('9', 'done', { job: { id: 'j', status: 'succeeded', result: { text: 'ab' } } })

describe('followJob', () => {
  it('joins the deltas, wherever the pieces are cut', async () => {
    const whole =
      event('1', 'status', { status: 'running' }) +
      event('2', 'delta', { text: 'Wäs' }) +
      event('3', 'delta', { text: 'ser' }) +
      done
    const bytes = [...whole]
    answers.mockResolvedValueOnce(
      stream([bytes.slice(0, 40).join(''), bytes.slice(40, 95).join(''), bytes.slice(95).join('')]),
    )
    const texts: string[] = []
    const job = await followJob('j', { onText: (text) => texts.push(text) })
    expect(texts).toEqual(['Wäs', 'Wässer'])
    expect(job.status).toBe('succeeded')
  })

  it('resumes after the last event when the connection breaks', async () => {
    answers.mockResolvedValueOnce(stream([event('1', 'delta', { text: 'a' })]))
    answers.mockResolvedValueOnce(stream([event('2', 'delta', { text: 'b' }), done]))
    const texts: string[] = []
    await followJob('j', { onText: (text) => texts.push(text) })
    expect(texts).toEqual(['a', 'ab'])
    expect(answers.mock.calls[1]?.[0].headers.get('Last-Event-ID')).toBe('1')
  })

  it('begins the text again when another worker took over', async () => {
    answers.mockResolvedValueOnce(
      stream([
        event('1', 'delta', { text: 'old' }),
        event('2', 'status', { status: 'running', restarted: true }),
        event('3', 'delta', { text: 'new' }),
        done,
      ]),
    )
    const texts: string[] = []
    await followJob('j', { onText: (text) => texts.push(text) })
    expect(texts).toEqual(['old', '', 'new'])
  })

  it('throws with the reason when the job failed', async () => {
    const failed = { id: 'j', status: 'failed', error: { code: 'timeout', detail: 'It took too long.' } }
    answers.mockResolvedValueOnce(stream([event('1', 'done', { job: failed })]))
    await expect(followJob('j')).rejects.toThrow('It took too long.')
  })

  it('tells a cancelled job apart', async () => {
    answers.mockResolvedValueOnce(stream([event('1', 'done', { job: { id: 'j', status: 'cancelled' } })]))
    const error: unknown = await followJob('j').catch((e: unknown) => e)
    expect(error).toBeInstanceOf(JobFailed)
    expect((error as JobFailed).cancelled).toBe(true)
  })

  it('does not try again what was refused', async () => {
    answers.mockResolvedValueOnce(new Response('{"error":"not_found"}', { status: 404 }))
    await expect(followJob('j')).rejects.toMatchObject({ status: 404 })
    expect(answers).toHaveBeenCalledTimes(1)
  })
})
