/** Following a job to its end: its event stream, resumed when it breaks, and plain polling when there is none. */

import { apiUrl, body, client, send } from './client'
import { readEvents } from './events'
import { ApiError } from './problem'
import type { Job } from './types'

export interface JobWatch {
  onStatus?: (status: string) => void
  /** The whole text so far. */
  onText?: (text: string) => void
  signal?: AbortSignal
}

const FINAL = new Set(['succeeded', 'failed', 'cancelled'])

export const isFinal = (job: Pick<Job, 'status'>): boolean => FINAL.has(job.status)

/** The job ended without a result; `message` says why in words for the user. */
export class JobFailed extends Error {
  override readonly name = 'JobFailed'
  readonly job: Job

  constructor(job: Job) {
    super(job.status === 'cancelled' ? 'Cancelled.' : (job.error?.detail ?? 'The AI could not finish. Try again.'))
    this.job = job
  }

  get cancelled(): boolean {
    return this.job.status === 'cancelled'
  }
}

export function getJob(id: string): Promise<Job> {
  return body(client.GET('/api/ai/jobs/{job_id}', { params: { path: { job_id: id } } }))
}

/** Waits for the end of a job and returns it; throws `JobFailed` when it did not succeed. */
export async function followJob(id: string, watch: JobWatch = {}): Promise<Job> {
  const job = (await followStream(id, watch)) ?? (await poll(id, watch))
  if (job.status !== 'succeeded') throw new JobFailed(job)
  return job
}

/** Null when the stream cannot be had, so that the caller polls. */
async function followStream(id: string, watch: JobWatch): Promise<Job | null> {
  let lastId = ''
  let text = ''
  for (let attempt = 0; attempt < 4; attempt++) {
    if (attempt) await pause(300 * 2 ** attempt, watch.signal)
    try {
      const headers: Record<string, string> = { Accept: 'text/event-stream' }
      if (lastId) headers['Last-Event-ID'] = lastId
      const response = await send(new Request(apiUrl(`/api/ai/jobs/${id}/events`), { headers, signal: watch.signal }))
      if (!response.body) return null
      for await (const event of readEvents(response.body)) {
        if (event.id) lastId = event.id
        const data = parse(event.data)
        if (event.event === 'delta' && typeof data.text === 'string') watch.onText?.((text += data.text))
        else if (event.event === 'status' && typeof data.status === 'string') {
          // Another worker took over and writes from the beginning.
          if (data.restarted === true) watch.onText?.((text = ''))
          watch.onStatus?.(data.status)
        } else if (event.event === 'done') return (data.job as Job | undefined) ?? (await getJob(id))
        attempt = 0
      }
    } catch (error) {
      if (watch.signal?.aborted) throw error
      if (error instanceof ApiError && error.status >= 400 && error.status < 500) throw error
    }
  }
  return null
}

async function poll(id: string, watch: JobWatch): Promise<Job> {
  for (let wait = 500; ; wait = Math.min(wait * 1.5, 4000)) {
    const job = await getJob(id)
    watch.onStatus?.(job.status)
    if (isFinal(job)) return job
    await pause(wait, watch.signal)
  }
}

export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms)
    signal?.addEventListener('abort', () => {
      clearTimeout(timer)
      reject(signal.reason)
    })
  })
}

function parse(data: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(data)
    return value && typeof value === 'object' ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
