import { useRouter, type ErrorComponentProps } from '@tanstack/react-router'
import { Compass } from 'lucide-react'

import { ButtonLink } from '@/ui/button'
import { EmptyState, ErrorNotice, Loading } from '@/ui/feedback'
import { useTitle } from '@/ui/page'

export function NotFound() {
  useTitle('Page not found')
  return (
    <main className="mx-auto max-w-xl pt-[12vh]">
      <EmptyState
        icon={<Compass aria-hidden />}
        title="There is no page here"
        action={
          <ButtonLink to="/proposals" variant="primary">
            Go to your proposals
          </ButtonLink>
        }
      >
        The address may be mistyped, or the page has moved. Nothing of yours is lost.
      </EmptyState>
    </main>
  )
}

/** A page that could not be shown: most often a service that does not answer. */
export function PageError({ error, reset }: ErrorComponentProps) {
  const router = useRouter()
  return (
    <main className="mx-auto max-w-xl px-4 pt-[12vh]">
      <ErrorNotice
        error={error}
        onRetry={() => {
          reset()
          void router.invalidate()
        }}
      />
    </main>
  )
}

export function PagePending() {
  return (
    <div className="mx-auto max-w-5xl px-4 py-10 sm:px-6">
      <Loading />
    </div>
  )
}
