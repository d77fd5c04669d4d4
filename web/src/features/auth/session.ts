import { useNavigate, useRouter } from '@tanstack/react-router'

import { api, meQuery, queryClient, selectOrg, sessionHint } from '@/api'

/** Only a path of our own: a link with another address in `next` must not lead away. */
export function safeNext(next: string | undefined): string | null {
  if (!next || !next.startsWith('/') || next.startsWith('//') || next.includes('\\')) return null
  return next
}

/** The same path as the server takes it, which puts `/app` before it. */
export function appPath(next: string | undefined): string | undefined {
  const path = safeNext(next)
  if (!path || path === '/app') return undefined
  return path.startsWith('/app/') ? path.slice('/app'.length) : path
}

/** What follows a sign-in: read who it is, then go where the person was headed. */
export function useSignedIn(): (next?: string) => Promise<void> {
  const navigate = useNavigate()
  const router = useRouter()
  return async (next) => {
    sessionHint.set(true)
    queryClient.removeQueries()
    await queryClient.fetchQuery(meQuery)
    const target = appPath(next)
    if (target) router.history.push(`/app${target}`)
    else await navigate({ to: '/proposals' })
  }
}

export function useSignOut(): () => Promise<void> {
  const navigate = useNavigate()
  return async () => {
    await api.signOut()
    sessionHint.set(false)
    await navigate({ to: '/sign-in' })
    queryClient.clear()
    selectOrg(null)
  }
}

export function formValues<K extends string>(form: HTMLFormElement, ...names: K[]): Record<K, string> {
  const data = new FormData(form)
  return Object.fromEntries(names.map((name) => [name, String(data.get(name) ?? '')])) as Record<K, string>
}
