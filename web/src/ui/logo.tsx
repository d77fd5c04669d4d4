import { cx } from './cx'

/** The mark and the name; where there is little room, the mark alone. */
export function Logo({ shrink = false }: { shrink?: boolean }) {
  return (
    <span className="inline-flex items-center gap-2.5 font-serif text-[1.35rem] font-semibold tracking-tight">
      <svg viewBox="0 0 32 32" className="size-7.5" aria-hidden>
        <rect width="32" height="32" rx="8" className="fill-accent" />
        <path
          d="M10 7h7.2c3 0 5 1.6 5 4.2 0 1.9-1 3.2-2.6 3.8 2 .5 3.3 2 3.3 4.2 0 3-2.2 4.8-5.6 4.8H10zM10 15.3h8.2"
          className="stroke-on-accent"
          fill="none"
          strokeWidth="2.6"
          strokeLinejoin="round"
        />
      </svg>
      <span className={cx(shrink && 'max-sm:sr-only')}>Bidwright</span>
    </span>
  )
}
