import { CircleAlert, CircleCheck, Info, Sparkles, TriangleAlert } from 'lucide-react'
import type { ReactNode } from 'react'

import { explain } from '@/api/messages'

import { Button, ButtonLink } from './button'
import { cx } from './cx'

const TONES = {
  neutral: 'bg-sunken text-ink-2',
  accent: 'bg-accent-soft text-accent-ink',
  ok: 'bg-ok-soft text-ok',
  warn: 'bg-warn-soft text-warn',
  danger: 'bg-danger-soft text-danger',
}
export type Tone = keyof typeof TONES

export function Badge({
  tone = 'neutral',
  children,
  className,
}: {
  tone?: Tone
  children: ReactNode
  className?: string
}) {
  return (
    <span
      className={cx(
        'inline-flex items-center gap-1 rounded-full px-2 py-0.5 text-[0.8rem] font-medium whitespace-nowrap [&_svg]:size-3.5',
        TONES[tone],
        className,
      )}
    >
      {children}
    </span>
  )
}

const ICONS = { neutral: Info, accent: Sparkles, ok: CircleCheck, warn: TriangleAlert, danger: CircleAlert }

/** A message in the flow of the page. */
export function Notice({
  tone = 'neutral',
  title,
  children,
  actions,
  role,
}: {
  tone?: Tone
  title?: ReactNode
  children?: ReactNode
  actions?: ReactNode
  role?: 'alert' | 'status'
}) {
  const Icon = ICONS[tone]
  return (
    <div role={role} className={cx('flex gap-3 rounded-xl px-4 py-3 text-[0.95rem]', TONES[tone])}>
      <Icon className="mt-0.5 size-4.5 shrink-0" aria-hidden />
      <div className="min-w-0 flex-1">
        {title && <p className="font-semibold">{title}</p>}
        {children && <div className={title ? 'mt-0.5' : undefined}>{children}</div>}
        {actions && <div className="mt-2.5 flex flex-wrap gap-2">{actions}</div>}
      </div>
    </div>
  )
}

/** A refusal in words, with the way out: try again, or a bigger plan. */
export function ErrorNotice({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const { title, hint, upgrade } = explain(error)
  const actions = (upgrade || onRetry) && (
    <>
      {upgrade && (
        <ButtonLink to="/billing" variant="primary" size="sm">
          <Sparkles aria-hidden /> Upgrade
        </ButtonLink>
      )}
      {onRetry && !upgrade && (
        <Button size="sm" onClick={onRetry}>
          Try again
        </Button>
      )}
    </>
  )
  return (
    <Notice role="alert" tone={upgrade ? 'accent' : 'danger'} title={title} actions={actions}>
      {hint}
    </Notice>
  )
}

export function EmptyState({
  icon,
  title,
  children,
  action,
}: {
  icon: ReactNode
  title: string
  children: ReactNode
  action?: ReactNode
}) {
  return (
    <div className="flex flex-col items-center px-6 py-14 text-center">
      <div className="mb-4 flex size-12 items-center justify-center rounded-2xl bg-accent-soft text-accent-ink [&_svg]:size-5.5">
        {icon}
      </div>
      <h2 className="text-[1.15rem] font-semibold">{title}</h2>
      <p className="mt-1.5 max-w-md text-ink-2">{children}</p>
      {action && <div className="mt-5 flex flex-wrap justify-center gap-2">{action}</div>}
    </div>
  )
}

export function Skeleton({ className }: { className?: string }) {
  return <div className={cx('skeleton', className)} aria-hidden />
}

export function Loading({ label = 'Loading', rows = 3 }: { label?: string; rows?: number }) {
  return (
    <div role="status" className="space-y-3">
      <span className="sr-only">{label}</span>
      {Array.from({ length: rows }, (_, i) => (
        <Skeleton key={i} className="h-16" />
      ))}
    </div>
  )
}

/** How much of an allowance is used; without a cap there is nothing to fill. `calm`: being full is the usual state. */
export function Meter({
  label,
  value,
  max,
  text,
  calm = false,
}: {
  label: string
  value: number
  max: number | null
  text: string
  calm?: boolean
}) {
  const share = max === null ? 0 : max === 0 ? 1 : Math.min(1, value / max)
  return (
    <div>
      <div className="flex items-baseline justify-between gap-3">
        <span className="font-medium">{label}</span>
        <span className="text-[0.93rem] text-ink-2 tabular-nums">{text}</span>
      </div>
      {max !== null && (
        <div
          role="meter"
          aria-label={label}
          aria-valuenow={value}
          aria-valuemin={0}
          aria-valuemax={max}
          aria-valuetext={text}
          className="mt-2 h-2 overflow-hidden rounded-full bg-sunken"
        >
          <div
            className={cx(
              'h-full rounded-full transition-[width] duration-500',
              share >= 1 && !calm ? 'bg-warn-strong' : 'bg-accent',
            )}
            style={{ width: `${Math.max(share * 100, value > 0 ? 2 : 0)}%` }}
          />
        </div>
      )}
    </div>
  )
}
