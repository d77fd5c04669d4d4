/** The one way to the API: adds the organisation, turns refusals into `ApiError`, and notes which part is down. */

import createClient from 'openapi-fetch'

import type { paths } from './generated/schema'
import { reportHealth } from './health'
import { currentOrg } from './org'
import { ApiError, problemFrom } from './problem'
import { Store } from './store'

/** Grows each time the server says that the session is over; the shell then asks to sign in again. */
export const sessionLost = new Store(0)

/** Their 401 is an answer to what was typed, not the end of a session. */
const SIGN_IN_PATHS = [
  '/api/auth/login',
  '/api/auth/logout',
  '/api/auth/register',
  '/api/auth/email/',
  '/api/auth/password/',
  '/api/auth/passkeys/sign-in',
  '/api/invites/',
]

/** Codes of a 503 that speak of an outside party, not of our own service. */
const OUTSIDE = new Set(['billing_unavailable', 'provider_unavailable'])

/** Fetches and returns an answer with a good status; throws `ApiError` for any other. */
export async function send(input: Request): Promise<Response> {
  const path = new URL(input.url).pathname
  const org = currentOrg.get()
  if (org && !input.headers.has('X-Org-ID')) input.headers.set('X-Org-ID', org)
  let response: Response
  try {
    response = await fetch(input)
  } catch (cause) {
    if (input.signal.aborted) throw cause
    throw new ApiError(0, path, { detail: 'The server could not be reached.' })
  }
  if (response.ok) {
    reportHealth(path, true)
    return response
  }
  throw noted(await problemFrom(response, path))
}

/** Records what a refusal tells about the session and the service, and gives it back. */
export function noted(error: ApiError): ApiError {
  const down = [502, 503, 504].includes(error.status) && !OUTSIDE.has(error.code)
  reportHealth(error.path, !down)
  if (error.status === 401 && !SIGN_IN_PATHS.some((p) => error.path.startsWith(p))) {
    sessionLost.update((n) => n + 1)
  }
  return error
}

export const client = createClient<paths>({
  baseUrl: location.origin,
  fetch: send,
  headers: { Accept: 'application/json' },
})

/** The body of an answer; refusals were thrown before. */
export async function body<T>(call: Promise<{ data?: T; response: Response }>): Promise<T> {
  return (await call).data as T
}

export function apiUrl(path: string): string {
  return new URL(path, location.origin).href
}
