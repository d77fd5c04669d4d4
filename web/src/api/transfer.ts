/** Files in and out: an upload that shows its progress, and a download that carries the organisation. */

import { apiUrl, noted, send } from './client'
import { reportHealth } from './health'
import { currentOrg } from './org'
import { ApiError, problemFromText } from './problem'
import { RESUMABLE_BYTES, uploadInPieces, type Pausable, type SendingState } from './resumable'
import type { Upload } from './types'

export interface UploadOptions {
  proposalId?: string
  onProgress?: (fraction: number) => void
  /** Of a large file only, as is `onPausable`. */
  onState?: (state: SendingState) => void
  onPausable?: (controls: Pausable) => void
  signal?: AbortSignal
}

/** Sends a file: a large one in pieces, which may be paused and go on later, any other at once. */
export function uploadFile(file: File, options: UploadOptions = {}): Promise<Upload> {
  return file.size > RESUMABLE_BYTES ? uploadInPieces(file, options) : uploadAtOnce(file, options)
}

/** XMLHttpRequest, because fetch cannot tell how much of a body has been sent. */
function uploadAtOnce(file: File, { proposalId, onProgress, signal }: UploadOptions): Promise<Upload> {
  const path = '/api/uploads'
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open('POST', path)
    request.setRequestHeader('Accept', 'application/json')
    const org = currentOrg.get()
    if (org) request.setRequestHeader('X-Org-ID', org)
    request.upload.onprogress = (e) => e.lengthComputable && onProgress?.(e.loaded / e.total)
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) {
        reportHealth(path, true)
        resolve(JSON.parse(request.responseText) as Upload)
        return
      }
      const headers = new Headers()
      for (const name of ['Retry-After', 'X-Quota-Reason']) {
        const value = request.getResponseHeader(name)
        if (value) headers.set(name, value)
      }
      reject(noted(problemFromText(request.status, path, request.responseText, headers)))
    }
    request.onerror = () => reject(new ApiError(0, path, { detail: 'The upload was interrupted.' }))
    request.onabort = () => reject(new DOMException('The upload was cancelled.', 'AbortError'))
    signal?.addEventListener('abort', () => request.abort())
    const form = new FormData()
    // Fields before the file: a server that reads the body as a stream knows them when the file comes.
    if (proposalId) form.append('proposal_id', proposalId)
    form.append('file', file, file.name)
    request.send(form)
  })
}

/** Saves a file of the API to the person's disk under the name the server gives it, else `fallbackName`. */
export async function download(path: string, fallbackName: string): Promise<void> {
  const url = new URL(path, location.origin)
  if (url.origin !== location.origin) {
    location.assign(url.href) // a signed address of the object store needs no header of ours
    return
  }
  const response = await send(new Request(apiUrl(url.pathname + url.search)))
  const href = URL.createObjectURL(await response.blob())
  const link = document.createElement('a')
  link.href = href
  link.download = filenameFrom(response.headers.get('Content-Disposition')) ?? fallbackName
  document.body.append(link)
  link.click()
  link.remove()
  setTimeout(() => URL.revokeObjectURL(href), 60_000)
}

/** The name in a Content-Disposition header; RFC 6266's `filename*` wins. */
export function filenameFrom(header: string | null): string | null {
  if (!header) return null
  const extended = /filename\*\s*=\s*utf-8''([^;]+)/i.exec(header)?.[1]
  if (extended) {
    try {
      return decodeURIComponent(extended.trim())
    } catch {
      // Badly encoded: the plain one is used.
    }
  }
  return /filename\s*=\s*"([^"]+)"/i.exec(header)?.[1] ?? /filename\s*=\s*([^;\s]+)/i.exec(header)?.[1] ?? null
}
