import { useQuery } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { ExternalLink } from 'lucide-react'
import { useEffect, useState } from 'react'

import { meQuery, offersQuery, queryClient, usageQuery, type Usage } from '@/api'
import { canManage, orgLabel, useOrg } from '@/features/shell/org'
import { Button, ButtonLink } from '@/ui/button'
import { Badge, ErrorNotice, Loading, Meter, Notice } from '@/ui/feedback'
import { bytes, date, number, plural } from '@/ui/format'
import { Page } from '@/ui/page'

import { forgetCheckout, hasArrived, thanks } from './checkout'
import { Invoices } from './invoices'
import { news } from './limits'
import { Bundles, Plans, usePortal } from './plans'
import { PlanActions } from './subscription'

const route = getRouteApi('/shell/billing')

export default function Billing() {
  const org = useOrg()
  const { checkout } = route.useSearch()
  const payment = useCheckoutReturn(checkout)
  const confirming = payment === 'waiting'
  const usage = useQuery({ ...usageQuery(), ...(confirming && { refetchInterval: 1_200 }) })
  return (
    <Page title="Usage & billing" lead={`What ${org.personal ? 'your personal space' : org.name} has and has used.`}>
      <PaymentNotice payment={payment} usage={usage.data} />
      {checkout === 'cancelled' && (
        <div className="mb-5">
          <Notice title="No change was made">
            You left the payment page before paying, so your plan is as before.
          </Notice>
        </div>
      )}
      {usage.isPending && <Loading label="Loading usage" />}
      {usage.error && !usage.data && <ErrorNotice error={usage.error} onRetry={() => void usage.refetch()} />}
      {usage.data && <Overview usage={usage.data} orgName={orgLabel(org)} mayManage={canManage(org)} />}
    </Page>
  )
}

type Payment = 'none' | 'waiting' | 'late' | 'arrived'

/** After the payment page: whether what was bought has arrived. */
function useCheckoutReturn(checkout: string | undefined): Payment {
  const navigate = useNavigate()
  const { data } = useQuery(usageQuery())
  const [payment, setPayment] = useState<Payment>(checkout === 'success' ? 'waiting' : 'none')
  const expected = payment === 'waiting' || payment === 'late'

  useEffect(() => {
    if (!expected || !data || !hasArrived(data)) return
    setPayment('arrived')
    forgetCheckout()
    void queryClient.invalidateQueries({ queryKey: meQuery.queryKey })
    void navigate({ to: '/billing', replace: true })
  }, [expected, data, navigate])

  useEffect(() => {
    if (payment !== 'waiting') return
    const timer = setTimeout(() => setPayment('late'), 60_000)
    return () => clearTimeout(timer)
  }, [payment])
  return payment
}

function PaymentNotice({ payment, usage }: { payment: Payment; usage: Usage | undefined }) {
  if (payment === 'none') return null
  return (
    <div className="mb-5">
      {payment === 'waiting' && (
        <Notice tone="accent" role="status" title="Thank you! We are confirming your payment">
          This takes a few seconds. Your new limits appear here by themselves.
        </Notice>
      )}
      {payment === 'late' && (
        <Notice tone="warn" role="status" title="The payment is taking longer than usual">
          You need not pay again. We keep listening for it; load this page again in a minute.
        </Notice>
      )}
      {payment === 'arrived' && usage && (
        <Notice
          tone="ok"
          role="status"
          title={thanks(usage).title}
          actions={
            <ButtonLink to="/proposals" variant="primary" size="sm">
              Continue with your proposals
            </ButtonLink>
          }
        >
          {thanks(usage).description}
        </Notice>
      )}
    </div>
  )
}

function Overview({ usage, orgName, mayManage }: { usage: Usage; orgName: string; mayManage: boolean }) {
  const { limits, usage: used, tier, subscription } = usage
  const portal = usePortal()
  const offers = useQuery(offersQuery).data
  const ends = subscription?.current_period_end
  const mayPay = mayManage && offers?.available !== false
  return (
    <div className="space-y-8">
      <section className="card p-5 sm:p-6" aria-labelledby="plan">
        <div className="flex flex-wrap items-center gap-3">
          <h2 id="plan" className="text-[1.15rem] font-semibold">
            {orgName}
          </h2>
          <Badge tone={tier === 'free' ? 'neutral' : 'accent'} className="capitalize">
            {tier}
          </Badge>
          {subscription?.cancel_at_period_end && ends && <Badge tone="warn">Ends {date(ends)}</Badge>}
          {mayPay && subscription && (
            <div className="flex flex-wrap gap-2 sm:ml-auto">
              <PlanActions usage={usage} plan={subscription} />
              <Button size="sm" busy={portal.isPending} onClick={() => portal.mutate()}>
                Manage subscription <ExternalLink aria-hidden />
              </Button>
            </div>
          )}
        </div>
        {subscription && <PlanFacts plan={subscription} status={usage.status} />}
        <div className="mt-4 space-y-3 empty:hidden">
          {usage.status === 'canceled' && (
            <Notice title="Your plan has ended">
              Everything that was written is still here, to read and to export.
            </Notice>
          )}
          {news(usage).map(({ id, tone, title, text, action, stays }) => (
            <Notice
              key={id}
              tone={tone}
              title={title}
              actions={
                stays &&
                mayPay && (
                  <Button size="sm" variant="primary" busy={portal.isPending} onClick={() => portal.mutate()}>
                    {action} <ExternalLink aria-hidden />
                  </Button>
                )
              }
            >
              {text}
            </Notice>
          ))}
        </div>
        <div className="mt-6 grid gap-x-10 gap-y-6 sm:grid-cols-2">
          {limits.monthly_cap === null && limits.active_cap !== null ? (
            <Meter
              label="Proposals"
              value={used.active}
              max={limits.active_cap}
              text={of(used.active, limits.active_cap)}
            />
          ) : (
            <Meter
              label="Proposals this period"
              value={used.created_this_period}
              max={limits.monthly_cap}
              text={
                of(used.created_this_period, limits.monthly_cap) +
                (limits.extras ? `, ${number(limits.extras)} extra` : '')
              }
            />
          )}
          <Meter label="Seats" value={used.seats} max={limits.seats} text={of(used.seats, limits.seats)} calm />
          <Meter
            label="Storage"
            value={used.storage_bytes}
            max={limits.storage_bytes}
            text={of(used.storage_bytes, limits.storage_bytes, bytes)}
          />
          <Meter
            label="AI requests today"
            value={used.ai_requests_today}
            max={limits.ai_daily}
            text={of(used.ai_requests_today, limits.ai_daily)}
          />
        </div>
        {usage.period && (
          <p className="mt-6 border-t border-line pt-4 text-[0.9rem] text-ink-3">
            This period: {date(usage.period.start)} to {date(usage.period.end)}
          </p>
        )}
      </section>
      {offers?.available === false ? (
        <Notice title="Payments are not set up here">
          Plans and extra proposals cannot be bought; ask whoever runs this Bidwright. Everything else works.
        </Notice>
      ) : (
        <>
          <Plans tier={tier} subscribed={subscription !== null} mayManage={mayManage} offers={offers} />
          {tier !== 'free' && mayManage && <Bundles offers={offers} />}
          {mayManage && <Invoices />}
        </>
      )}
    </div>
  )
}

const PRICES: Record<string, string> = {
  pro_monthly: 'Pro, paid monthly',
  pro_yearly: 'Pro, paid yearly',
  enterprise_monthly: 'Enterprise, paid monthly',
}

/** What is paid for, and until when. */
function PlanFacts({ plan, status }: { plan: NonNullable<Usage['subscription']>; status: string }) {
  const facts = [
    PRICES[plan.price ?? ''],
    plan.seats !== null && plural(plan.seats, 'seat'),
    plan.discount && `discount: ${plan.discount}`,
    plan.current_period_end &&
      (status === 'past_due' || status === 'unpaid'
        ? 'a payment is due'
        : plan.cancel_at_period_end
          ? `ends on ${date(plan.current_period_end)}`
          : status === 'trialing'
            ? `free trial until ${date(plan.current_period_end)}`
            : `renews on ${date(plan.current_period_end)}`),
  ].filter(Boolean)
  return <p className="mt-1.5 text-ink-2">{facts.join(' · ')}</p>
}

function of(value: number, max: number | null, show: (n: number) => string = number): string {
  return max === null ? `${show(value)}, no limit` : `${show(value)} of ${show(max)}`
}
