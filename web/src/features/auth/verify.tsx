import { useMutation } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useEffect, useRef } from 'react'

import { api } from '@/api'
import { ButtonLink } from '@/ui/button'
import { Loading, Notice } from '@/ui/feedback'

import { AuthFrame } from './frame'
import { useSignedIn } from './session'

const route = getRouteApi('/verify')

/** Where the link of the welcome mail leads: confirms the address and signs in. */
export default function Verify() {
  const { token } = route.useSearch()
  const signedIn = useSignedIn()
  const { mutate, error } = useMutation({
    mutationFn: async (value: string) => {
      await api.verifyEmail(value)
      await signedIn()
    },
  })
  // A token works once, and React runs effects twice in development.
  const sent = useRef(false)
  useEffect(() => {
    if (token && !sent.current) {
      sent.current = true
      mutate(token)
    }
  }, [token, mutate])

  if (token && !error) {
    return (
      <AuthFrame title="Confirming your address">
        <Loading label="Confirming your address" rows={1} />
      </AuthFrame>
    )
  }
  return (
    <AuthFrame title="This link does not work">
      <Notice
        tone="warn"
        role="alert"
        title="It was used before, or it has expired"
        actions={
          <>
            <ButtonLink to="/sign-in" variant="primary" size="sm">
              Sign in
            </ButtonLink>
            <ButtonLink to="/sign-up" size="sm">
              Get a new link
            </ButtonLink>
          </>
        }
      >
        If you confirmed your address already, just sign in. Otherwise sign up again with the same address and we send
        you a new link.
      </Notice>
    </AuthFrame>
  )
}
