import { Menu as Base } from '@base-ui/react/menu'
import { Link, type LinkProps } from '@tanstack/react-router'
import type { ReactElement, ReactNode } from 'react'

import { cx } from './cx'

export function Menu({
  trigger,
  children,
  align = 'start',
}: {
  trigger: ReactElement
  children: ReactNode
  align?: 'start' | 'end'
}) {
  return (
    <Base.Root>
      <Base.Trigger render={trigger} />
      <Base.Portal>
        <Base.Positioner sideOffset={6} align={align} className="z-10 outline-none">
          <Base.Popup className="max-h-[var(--available-height)] max-w-80 min-w-56 overflow-y-auto rounded-xl border border-line bg-surface p-1.5 shadow-pop transition-opacity duration-100 outline-none data-ending-style:opacity-0 data-starting-style:opacity-0">
            {children}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  )
}

const ITEM =
  'flex w-full items-center gap-2.5 rounded-lg px-2.5 py-1.5 text-left outline-none select-none data-highlighted:bg-sunken [&_svg]:size-4 [&_svg]:shrink-0'

export function MenuItem({
  children,
  onClick,
  danger,
}: {
  children: ReactNode
  onClick?: () => void
  danger?: boolean
}) {
  return (
    <Base.Item onClick={onClick} className={cx(ITEM, danger && 'text-danger')}>
      {children}
    </Base.Item>
  )
}

/** An item that leads to a page; a link, so that it can be opened in another tab. */
export function MenuLink({ to, children }: { to: LinkProps['to']; children: ReactNode }) {
  return (
    <Base.LinkItem closeOnClick render={<Link to={to} />} className={ITEM}>
      {children}
    </Base.LinkItem>
  )
}

export function MenuRadio<T extends string>({
  label,
  value,
  onChange,
  children,
}: {
  label: string
  value: T
  onChange: (value: T) => void
  children: ReactNode
}) {
  return (
    <Base.RadioGroup value={value} onValueChange={(next: T) => onChange(next)}>
      <Base.Group>
        <Base.GroupLabel className="px-2.5 pt-1 pb-1.5 text-[0.8rem] font-medium text-ink-3">{label}</Base.GroupLabel>
        {children}
      </Base.Group>
    </Base.RadioGroup>
  )
}

export function MenuRadioItem({ value, children }: { value: string; children: ReactNode }) {
  return (
    <Base.RadioItem value={value} closeOnClick className={ITEM}>
      {children}
    </Base.RadioItem>
  )
}

export function MenuSeparator() {
  return <Base.Separator className="mx-1 my-1.5 h-px bg-line" />
}
