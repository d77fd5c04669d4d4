import { useNavigate, useRouter } from '@tanstack/react-router'
import { useEffect, useRef } from 'react'

import { meQuery, queryClient, sessionLost, useStore } from '@/api'
import { toast } from '@/ui/toast'

/** When the server says that the session is over: sign in, then come back here. */
export function useSessionWatch(): void {
  const lost = useStore(sessionLost)
  const atMount = useRef(lost)
  const router = useRouter()
  const navigate = useNavigate()
  useEffect(() => {
    if (lost === atMount.current) return
    atMount.current = lost
    // Several requests fail at once; the first one has already led to the sign-in page.
    if (router.state.location.pathname.endsWith('/sign-in')) return
    queryClient.removeQueries({ queryKey: meQuery.queryKey })
    toast.show(
      { title: 'Your session ended', description: 'Sign in again to carry on where you were.', timeout: 4000 },
      'error',
    )
    void navigate({ to: '/sign-in', search: { next: router.state.location.href } })
  }, [lost, navigate, router])
}
