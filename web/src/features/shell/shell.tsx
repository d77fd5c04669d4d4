import { useMutation, useQuery, useSuspenseQuery } from '@tanstack/react-query'
import { Link, Outlet } from '@tanstack/react-router'
import {
  CircleUserRound,
  CreditCard,
  FileText,
  LibraryBig,
  LogOut,
  Menu as MenuIcon,
  Paperclip,
  Sparkles,
  UserCog,
  Users,
} from 'lucide-react'

import { meQuery, usageQuery, useStore, currentOrg } from '@/api'
import { useSignOut } from '@/features/auth/session'
import { buttonClass, IconButton } from '@/ui/button'
import { cx } from '@/ui/cx'
import { Badge } from '@/ui/feedback'
import { Logo } from '@/ui/logo'
import { Menu, MenuItem, MenuLink, MenuSeparator } from '@/ui/menu'
import { toast } from '@/ui/toast'

import { HealthBanner } from './banner'
import { canManage, OrgSwitcher, useOrg } from './org'
import { PlanBanner } from './plan-banner'
import { useSessionWatch } from './session-watch'

const NAV = [
  { to: '/proposals', label: 'Proposals', icon: FileText },
  { to: '/answers', label: 'Answers', icon: LibraryBig },
  { to: '/uploads', label: 'Uploads', icon: Paperclip },
  { to: '/billing', label: 'Usage & billing', icon: CreditCard },
  { to: '/members', label: 'Members', icon: Users },
] as const

/** The frame of every page after signing in. */
export default function Shell() {
  useSessionWatch()
  const orgId = useStore(currentOrg)
  return (
    <div className="flex min-h-dvh flex-col">
      <a
        href="#content"
        className="sr-only focus:not-sr-only focus:absolute focus:top-2 focus:left-2 focus:z-20 focus:rounded-lg focus:bg-surface focus:px-3 focus:py-2"
      >
        Skip to the content
      </a>
      <header className="sticky top-0 z-10 border-b border-line bg-paper/90 backdrop-blur">
        <div className="flex h-15 items-center gap-3 px-4 sm:px-6">
          <Link to="/proposals" aria-label="Bidwright, to your proposals" className="flex shrink-0 rounded-lg">
            <Logo shrink />
          </Link>
          <span className="h-6 w-px bg-line max-sm:hidden" aria-hidden />
          <OrgSwitcher />
          <nav aria-label="Main" className="ml-2 hidden items-center gap-1 xl:flex">
            {NAV.map(({ to, label, icon: Icon }) => (
              <Link
                key={to}
                to={to}
                className="inline-flex h-9 items-center gap-2 rounded-lg px-3 font-medium text-ink-2 hover:bg-sunken hover:text-ink"
                activeProps={{ className: 'bg-sunken text-ink!' }}
              >
                <Icon className="size-4" aria-hidden /> {label}
              </Link>
            ))}
          </nav>
          <div className="ml-auto flex items-center gap-2">
            <Tier />
            <NavMenu />
            <UserMenu />
          </div>
        </div>
      </header>
      <HealthBanner />
      <PlanBanner />
      {/* Another organisation is another set of everything below. */}
      <main id="content" key={orgId} tabIndex={-1} className="flex min-h-0 flex-1 flex-col outline-none">
        <Outlet />
      </main>
    </div>
  )
}

function Tier() {
  const org = useOrg()
  const usage = useQuery(usageQuery())
  const tier = usage.data?.tier ?? org.tier
  if (tier === 'free' && canManage(org)) {
    return (
      <Link to="/billing" className={buttonClass('primary', 'sm', 'max-sm:hidden')}>
        <Sparkles aria-hidden /> Upgrade
      </Link>
    )
  }
  return (
    <Link to="/billing" aria-label={`Plan: ${tier}`} className="rounded-full max-sm:hidden">
      <Badge tone={tier === 'free' ? 'neutral' : 'accent'} className="capitalize">
        {tier}
      </Badge>
    </Link>
  )
}

function NavMenu() {
  return (
    <div className="xl:hidden">
      <Menu
        align="end"
        trigger={
          <IconButton label="Menu">
            <MenuIcon aria-hidden />
          </IconButton>
        }
      >
        {NAV.map(({ to, label, icon: Icon }) => (
          <Link key={to} to={to} tabIndex={-1} className="contents">
            <MenuItem>
              <Icon aria-hidden /> {label}
            </MenuItem>
          </Link>
        ))}
      </Menu>
    </div>
  )
}

function UserMenu() {
  const { data: me } = useSuspenseQuery(meQuery)
  const signOut = useSignOut()
  const { mutate } = useMutation({ mutationFn: signOut, onError: toast.error })
  return (
    <Menu
      align="end"
      trigger={
        <button
          type="button"
          aria-label={accountLabel(me.user)}
          className={cx(
            'inline-flex size-9 items-center justify-center rounded-full bg-accent-soft text-[0.87rem] font-semibold text-accent-ink',
            'hover:brightness-95',
          )}
        >
          <span aria-hidden>{initials(me.user.name) || <CircleUserRound className="size-4.5" />}</span>
        </button>
      }
    >
      <div className="max-w-64 px-2.5 py-1.5">
        <p className="truncate font-semibold">{me.user.name}</p>
        <p className="truncate text-[0.87rem] text-ink-3">{me.user.email}</p>
      </div>
      <MenuSeparator />
      <MenuLink to="/account">
        <UserCog aria-hidden /> Your account
      </MenuLink>
      <MenuItem onClick={() => mutate()}>
        <LogOut aria-hidden /> Sign out
      </MenuItem>
    </Menu>
  )
}

/** Who it is, and the initials that are seen, for someone who says what to click. */
function accountLabel({ name, email }: { name: string; email: string }): string {
  return name ? `Account of ${name}, ${initials(name)}` : `Account of ${email}`
}

function initials(name: string): string {
  const words = name.trim().split(/\s+/).filter(Boolean)
  return [words[0], words.length > 1 ? words.at(-1) : undefined].map((word) => word?.[0]?.toUpperCase() ?? '').join('')
}
