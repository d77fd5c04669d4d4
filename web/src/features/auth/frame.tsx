import type { ReactNode } from 'react'

import { FileCheck2, ListTree, PenLine } from 'lucide-react'

import { Logo } from '@/ui/logo'
import { useTitle } from '@/ui/page'

const POINTS = [
  [ListTree, 'Bring the call', 'Upload the PDF. Bidwright reads the criteria and page limits and plans the sections.'],
  [
    PenLine,
    'Draft section by section',
    'Answer a few questions, let the AI draft, revise with a word, approve what is right.',
  ],
  [
    FileCheck2,
    'Export a file you can prove',
    'The same approved text gives the same bytes, every time, for anyone to verify.',
  ],
] as const

/** The page around every form that comes before signing in. */
export function AuthFrame({
  title,
  lead,
  children,
  footer,
}: {
  title: string
  lead?: ReactNode
  children?: ReactNode
  footer?: ReactNode
}) {
  useTitle(title)
  return (
    <div className="grid min-h-dvh lg:grid-cols-[minmax(0,1fr)_minmax(0,1.05fr)]">
      <main className="flex flex-col px-5 py-8 sm:px-12">
        <Logo />
        <div className="mx-auto my-auto w-full max-w-sm py-10">
          <h1 className="font-serif text-[2rem] leading-tight font-semibold tracking-tight">{title}</h1>
          {lead && <div className="mt-2 text-ink-2">{lead}</div>}
          <div className="mt-7">{children}</div>
          {footer && <div className="mt-6 text-ink-2">{footer}</div>}
        </div>
      </main>
      <aside
        className="hidden flex-col justify-center border-l border-line bg-surface px-16 lg:flex"
        aria-label="What Bidwright does"
      >
        <p className="max-w-md font-serif text-[1.75rem] leading-snug font-medium">
          From the call for proposals to a file whose bytes anyone can verify.
        </p>
        <ul className="mt-10 max-w-md space-y-7">
          {POINTS.map(([Icon, name, what]) => (
            <li key={name} className="flex gap-4">
              <span className="flex size-10 shrink-0 items-center justify-center rounded-xl bg-accent-soft text-accent-ink">
                <Icon className="size-5" aria-hidden />
              </span>
              <div>
                <p className="font-semibold">{name}</p>
                <p className="mt-0.5 text-ink-2">{what}</p>
              </div>
            </li>
          ))}
        </ul>
      </aside>
    </div>
  )
}

export const linkClass = 'font-medium text-accent-ink underline underline-offset-3 hover:no-underline'
