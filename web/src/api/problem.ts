/** Refusals of the API (RFC 9457 problem documents) as one error class. */

export interface FieldProblem {
  field: string
  message: string
}

interface ProblemBody {
  title?: string
  detail?: string
  error?: string
  reason?: string
  request_id?: string
  errors?: FieldProblem[]
  retry_after?: number
  [extra: string]: unknown
}

/** What a program can decide on when nothing of ours answered. */
const CODE_BY_STATUS: Record<number, string> = {
  0: 'network',
  401: 'unauthenticated',
  402: 'quota_exceeded',
  403: 'role_forbidden',
  404: 'not_found',
  409: 'conflict',
  412: 'stale_revision',
  413: 'body_too_large',
  429: 'rate_limited',
  502: 'unavailable',
  503: 'unavailable',
  504: 'unavailable',
}

/** The API refused, or could not be reached (`status` 0). */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number
  readonly path: string
  readonly body: ProblemBody
  readonly retryAfter: number | null

  constructor(status: number, path: string, body: ProblemBody, retryAfter: number | null = null) {
    super(body.detail ?? body.title ?? `HTTP ${status}`)
    this.status = status
    this.path = path
    this.body = body
    this.retryAfter = retryAfter ?? (typeof body.retry_after === 'number' ? body.retry_after : null)
  }

  /** The stable code, e.g. `quota_exceeded`. */
  get code(): string {
    return this.body.error ?? CODE_BY_STATUS[this.status] ?? 'unexpected'
  }

  get reason(): string | null {
    return this.body.reason ?? null
  }

  get requestId(): string | null {
    return this.body.request_id ?? null
  }

  /**
   * The service works but has not seen yet what another one has just said, and wants to be asked again shortly. Nothing
   * was done, so asking again is safe.
   */
  get settling(): boolean {
    return this.code === 'not_yet_consistent'
  }

  /** What is wrong with which input, from a 422. A rule over several fields names its field in the message. */
  get fields(): FieldProblem[] {
    return (this.body.errors ?? []).map(({ field, message }) => {
      const named = field === 'body' ? /^(\w+): (.+)$/s.exec(message) : null
      return named?.[1] && named[2] ? { field: named[1], message: named[2] } : { field, message }
    })
  }

  /** The message for one input. */
  field(name: string): string | undefined {
    return this.fields.find((e) => e.field === name || e.field.endsWith(`.${name}`))?.message
  }
}

export function isApiError(error: unknown, ...codes: string[]): error is ApiError {
  return error instanceof ApiError && (codes.length === 0 || codes.includes(error.code))
}

/** `Retry-After` in seconds; both forms of RFC 9110 are understood. */
export function parseRetryAfter(value: string | null, now = Date.now()): number | null {
  if (!value) return null
  if (/^\d+$/.test(value.trim())) return Number(value)
  const at = Date.parse(value)
  return Number.isNaN(at) ? null : Math.max(0, Math.ceil((at - now) / 1000))
}

/** Reads a refusal; a proxy's plain-text page becomes a problem too. */
export async function problemFrom(response: Response, path: string): Promise<ApiError> {
  return problemFromText(response.status, path, await response.text().catch(() => ''), response.headers)
}

export function problemFromText(status: number, path: string, text: string, headers: Headers): ApiError {
  let body: ProblemBody = {}
  try {
    const parsed: unknown = JSON.parse(text)
    if (parsed && typeof parsed === 'object' && !Array.isArray(parsed)) body = parsed as ProblemBody
  } catch {
    // Not JSON: an answer of the proxy, which the status alone explains.
  }
  const quotaReason = headers.get('X-Quota-Reason')
  if (!body.reason && quotaReason) body = { ...body, reason: quotaReason }
  return new ApiError(status, path, body, parseRetryAfter(headers.get('Retry-After')))
}
