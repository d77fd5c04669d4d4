/** Large files in pieces (tus 1.0): they go on after a pause, a lost connection, a reload of the page. */

import type { DetailedError, PreviousUpload, Upload as Tus, UploadOptions as TusOptions } from 'tus-js-client'

import { apiUrl, noted, send } from './client'
import { reportHealth } from './health'
import { currentOrg } from './org'
import { ApiError, isApiError, problemFromText } from './problem'
import type { Upload } from './types'

/** From this size on a file is worth the three requests more. */
export const RESUMABLE_BYTES = 5 * 1024 * 1024

const PATH = '/api/uploads/resumable'
const PREFIX = 'bidwright-upload'
/** Some three minutes in all; they begin anew whenever something has arrived. */
const RETRY_DELAYS = [0, 1000, 2000, 4000, 8000, 15_000, 30_000, 60_000, 60_000]

export type SendingState = 'sending' | 'paused' | 'waiting'

export interface Pausable {
  pause: () => void
  resume: () => void
}

interface Options {
  proposalId?: string
  onProgress?: (fraction: number) => void
  /** `waiting`: the connection is lost; it goes on by itself when the browser says that it is back. */
  onState?: (state: SendingState) => void
  onPausable?: (controls: Pausable) => void
  signal?: AbortSignal
}

export async function uploadInPieces(file: File, options: Options = {}): Promise<Upload> {
  const tus = await import('tus-js-client') // only whoever has a large file needs it
  const { proposalId, onProgress, onState, onPausable, signal } = options
  const metadata: Record<string, string> = { filename: file.name, filetype: file.type }
  if (proposalId) metadata.proposal_id = proposalId

  return new Promise<Upload>((resolve, reject) => {
    let current: Tus | null = null
    let url: string | null = null
    let state: SendingState = 'sending'
    const become = (next: SendingState) => onState?.((state = next))
    const settle = (end: () => void) => {
      window.removeEventListener('online', onOnline)
      signal?.removeEventListener('abort', onAbort)
      end()
    }
    const onOnline = () => state === 'waiting' && start()
    const failed = (error: unknown) => {
      const ours = error instanceof ApiError ? error : fromTus(error)
      if (signal?.aborted) return
      if (isPassing(ours)) {
        become('waiting')
        return
      }
      if (!KEPT.has(ours.status)) void forget(current)
      settle(() => reject(noted(ours)))
    }
    const onAbort = () => {
      settle(() => reject(new DOMException('The upload was cancelled.', 'AbortError')))
      void Promise.resolve(current?.abort(true))
        .catch(() => undefined) // the server forgets it by itself
        .then(() => forget(current))
    }
    const finish = async () => {
      try {
        const answer = await send(new Request(`${current?.url ?? ''}/complete`, { method: 'POST' }))
        const upload = (await answer.json()) as Upload
        void forget(current)
        settle(() => resolve(upload))
      } catch (error) {
        failed(error)
      }
    }
    const start = () => {
      become('sending')
      const upload = new tus.Upload(file, {
        endpoint: apiUrl(PATH),
        uploadUrl: url,
        metadata,
        fingerprint: (chosen) => Promise.resolve(fingerprintOf(chosen)),
        retryDelays: RETRY_DELAYS,
        onShouldRetry: (error) => isPassing(fromTus(error)),
        onBeforeRequest: (request) => {
          const org = currentOrg.get()
          if (org) request.setHeader('X-Org-ID', org)
        },
        onAfterResponse: (request, response) => {
          reportHealth(PATH, response.getStatus() < 500)
          // Otherwise the library would take it for the word that nothing is there, and begin anew.
          if (request.getMethod() === 'HEAD' && response.getStatus() >= 500) throw new Error('not available')
        },
        onProgress: (sent, total) => onProgress?.(total ? sent / total : 0),
        onUploadUrlAvailable: () => {
          url = upload.url
        },
        onSuccess: () => void finish(),
        onError: failed,
      } satisfies TusOptions)
      current = upload
      void begin(upload, url)
    }

    signal?.addEventListener('abort', onAbort)
    window.addEventListener('online', onOnline)
    onPausable?.({
      pause: () => {
        if (state !== 'sending') return
        become('paused')
        void current?.abort()
      },
      resume: () => state !== 'sending' && start(),
    })
    start()
  })
}

/** A file whose upload this browser has begun and not finished. */
export interface Unfinished {
  key: string
  filename: string
  url: string
}

export async function unfinishedUploads(): Promise<Unfinished[]> {
  // Not to load the library for the many who have none: it keeps its notes under this name.
  if (!storedKeys().some((key) => key.startsWith(`tus::${scope()}`))) return []
  const { defaultOptions } = await import('tus-js-client')
  const all = await defaultOptions.urlStorage.findAllUploads()
  return all.filter(isOurs).map(({ urlStorageKey, metadata, uploadUrl }) => ({
    key: urlStorageKey,
    filename: metadata.filename ?? '',
    url: uploadUrl ?? '',
  }))
}

export async function discardUnfinished({ key, url }: Unfinished): Promise<void> {
  const { defaultOptions } = await import('tus-js-client')
  await defaultOptions.urlStorage.removeUpload(key)
  await send(new Request(url, { method: 'DELETE', headers: { 'Tus-Resumable': '1.0.0' } })).catch((error: unknown) => {
    if (!(isApiError(error) && error.status === 404)) throw error
  })
}

/** Refusals after which the same upload may still go on: once one has signed in again, or made room. */
const KEPT = new Set([401, 402, 403, 429])

function isPassing({ status }: ApiError): boolean {
  return status === 0 || status >= 500 || status === 409 || status === 423
}

function fromTus(error: unknown): ApiError {
  const response = (error as Partial<DetailedError>).originalResponse
  if (!response) return new ApiError(0, PATH, { detail: 'The upload was interrupted.' })
  const headers = new Headers()
  for (const name of ['Retry-After', 'X-Quota-Reason']) {
    const value = response.getHeader(name)
    if (value) headers.set(name, value)
  }
  return problemFromText(response.getStatus(), PATH, response.getBody(), headers)
}

async function begin(upload: Tus, url: string | null): Promise<void> {
  const previous = await upload.findPreviousUploads().catch((): PreviousUpload[] => [])
  // Also where the address is known: the library would note it down a second time.
  const known = url === null ? previous[0] : previous.find(({ uploadUrl }) => uploadUrl === url)
  if (known) upload.resumeFromPreviousUpload(known)
  upload.start()
}

async function forget(upload: Tus | null): Promise<void> {
  const { urlStorage } = upload?.options ?? {}
  if (!upload || !urlStorage) return
  const previous = await upload.findPreviousUploads().catch((): PreviousUpload[] => [])
  await Promise.all(previous.map((one) => urlStorage.removeUpload(one.urlStorageKey)))
}

/** Of one organisation, so that a file that goes to two of them is two uploads. */
function scope(): string {
  return `${PREFIX}-${currentOrg.get() ?? ''}`
}

function fingerprintOf(file: File): string {
  return [scope(), file.name, file.size, file.lastModified].join('-')
}

function isOurs(upload: PreviousUpload): boolean {
  return upload.uploadUrl !== null && upload.urlStorageKey.startsWith(`tus::${scope()}`)
}

function storedKeys(): string[] {
  try {
    return Object.keys(localStorage)
  } catch {
    return [] // storage is switched off: an upload goes on as long as its page lives
  }
}
