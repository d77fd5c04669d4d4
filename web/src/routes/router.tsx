/** The map of the product. Each page is a file of its own, loaded when it is first visited. */

import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router'

import { currentOrg, isApiError, meQuery, queryClient, selectOrg, sessionHint } from '@/api'
import { NotFound, PageError, PagePending } from '@/features/shell/fallbacks'

const text = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined

const root = createRootRoute({ component: Outlet, notFoundComponent: NotFound })

// --- before signing in -----------------------------------------------------------------------------------------------

const nextSearch = (search: Record<string, unknown>): { next?: string; email?: string; problem?: string } => ({
  next: text(search.next),
  email: text(search.email),
  problem: text(search.problem),
})
const tokenSearch = (search: Record<string, unknown>): { token?: string } => ({ token: text(search.token) })

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: nextSearch,
  component: lazyRouteComponent(() => import('@/features/auth/sign-in')),
})
const signUp = createRoute({
  getParentRoute: () => root,
  path: '/sign-up',
  validateSearch: nextSearch,
  component: lazyRouteComponent(() => import('@/features/auth/sign-up')),
})
const verify = createRoute({
  getParentRoute: () => root,
  path: '/verify',
  validateSearch: tokenSearch,
  component: lazyRouteComponent(() => import('@/features/auth/verify')),
})
const forgot = createRoute({
  getParentRoute: () => root,
  path: '/forgot',
  component: lazyRouteComponent(() => import('@/features/auth/forgot')),
})
const reset = createRoute({
  getParentRoute: () => root,
  path: '/reset',
  validateSearch: tokenSearch,
  component: lazyRouteComponent(() => import('@/features/auth/reset')),
})
const invite = createRoute({
  getParentRoute: () => root,
  path: '/invite',
  validateSearch: tokenSearch,
  component: lazyRouteComponent(() => import('@/features/auth/invite')),
})

// --- signed in -------------------------------------------------------------------------------------------------------

const shell = createRoute({
  getParentRoute: () => root,
  id: 'shell',
  beforeLoad: async ({ location }) => {
    const toSignIn = () => {
      const here = location.pathname === '/' ? undefined : location.href
      return redirect({ to: '/sign-in', search: { next: here }, replace: true })
    }
    if (!sessionHint.get()) throw toSignIn()
    try {
      const me = await queryClient.ensureQueryData(meQuery)
      const known = me.orgs.some((org) => org.id === currentOrg.get())
      if (!known) selectOrg((me.orgs.find((org) => org.personal) ?? me.orgs[0])?.id ?? null)
    } catch (error) {
      if (!isApiError(error, 'unauthenticated')) throw error
      sessionHint.set(false)
      throw toSignIn()
    }
  },
  component: lazyRouteComponent(() => import('@/features/shell/shell')),
})

const home = createRoute({
  getParentRoute: () => shell,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/proposals', replace: true })
  },
})
const proposals = createRoute({
  getParentRoute: () => shell,
  path: '/proposals',
  validateSearch: (search: Record<string, unknown>): { q?: string } => ({ q: text(search.q) }),
  component: lazyRouteComponent(() => import('@/features/proposals/list')),
})
const proposal = createRoute({
  getParentRoute: () => shell,
  path: '/proposals/$proposalId',
  validateSearch: (search: Record<string, unknown>): { section?: string; at?: string } => ({
    section: text(search.section),
    at: text(search.at),
  }),
  component: lazyRouteComponent(() => import('@/features/proposals/workspace')),
})
const compliance = createRoute({
  getParentRoute: () => shell,
  path: '/proposals/$proposalId/compliance',
  validateSearch: (search: Record<string, unknown>): { view?: 'check'; state?: string } => ({
    view: search.view === 'check' ? 'check' : undefined,
    state: text(search.state),
  }),
  component: lazyRouteComponent(() => import('@/features/compliance/page')),
})
const answers = createRoute({
  getParentRoute: () => shell,
  path: '/answers',
  validateSearch: (search: Record<string, unknown>): { q?: string; view?: 'due' | 'archived'; answer?: string } => ({
    q: text(search.q),
    view: search.view === 'due' || search.view === 'archived' ? search.view : undefined,
    answer: text(search.answer),
  }),
  component: lazyRouteComponent(() => import('@/features/answers/page')),
})
const uploads = createRoute({
  getParentRoute: () => shell,
  path: '/uploads',
  component: lazyRouteComponent(() => import('@/features/uploads/page')),
})
const billing = createRoute({
  getParentRoute: () => shell,
  path: '/billing',
  validateSearch: (search: Record<string, unknown>): { checkout?: string; session_id?: string; org?: string } => ({
    checkout: text(search.checkout),
    session_id: text(search.session_id),
    org: text(search.org),
  }),
  beforeLoad: async ({ search }) => {
    if (search.org === undefined) return
    // A mail is about one organisation, whichever this browser was in.
    const { orgs } = await queryClient.ensureQueryData(meQuery)
    if (orgs.some((org) => org.id === search.org)) selectOrg(search.org)
    throw redirect({ to: '/billing', search: { ...search, org: undefined }, replace: true })
  },
  component: lazyRouteComponent(() => import('@/features/billing/page')),
})
const members = createRoute({
  getParentRoute: () => shell,
  path: '/members',
  component: lazyRouteComponent(() => import('@/features/members/page')),
})

const organisation = createRoute({
  getParentRoute: () => shell,
  path: '/organisation',
  component: lazyRouteComponent(() => import('@/features/organisation/page')),
})
const keys = createRoute({
  getParentRoute: () => shell,
  path: '/keys',
  component: lazyRouteComponent(() => import('@/features/keys/page')),
})
const audit = createRoute({
  getParentRoute: () => shell,
  path: '/audit',
  component: lazyRouteComponent(() => import('@/features/audit/page')),
})
const account = createRoute({
  getParentRoute: () => shell,
  path: '/account',
  component: lazyRouteComponent(() => import('@/features/account/page')),
})

export const router = createRouter({
  routeTree: root.addChildren([
    signIn,
    signUp,
    verify,
    forgot,
    reset,
    invite,
    shell.addChildren([
      home,
      proposals,
      proposal,
      compliance,
      answers,
      uploads,
      billing,
      members,
      organisation,
      keys,
      audit,
      account,
    ]),
  ]),
  basepath: '/app',
  defaultPreload: 'intent',
  scrollRestoration: true,
  defaultPendingComponent: PagePending,
  defaultErrorComponent: PageError,
  defaultNotFoundComponent: NotFound,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
