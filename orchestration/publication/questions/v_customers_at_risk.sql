-- Who used to buy and has gone quiet, most valuable first, with the best offer and the evidence for it.
--   customer_id: The customer.
--   segment: Segment of the scheme rfm: cant_lose or at_risk.
--   segment_label: Its name for people.
--   spend: Net spend over the behaviour window, in the reporting currency.
--   last_order_on: Local date of the last basket.
--   recency_days: Days since then, on the as-of date.
--   channels: Channels (those of the table channels, such as email) on which a treatment of theirs may be sent to them today, holdouts left out, with ', ' between; null where there is none.
--   offer_item: The first of the customer's next best offers; null where there is none.
--   because_item: What the offer follows from: an item that the customer bought.
--   because_last_bought_on: Local date of the last basket with it, by the day on which it came into the basket.
select
    profiles.customer_id,
    profiles.rfm as segment,
    segments.label as segment_label,
    profiles.monetary as spend,
    profiles.last_order_on,
    profiles.recency_days,
    reached.channels,
    offers.item as offer_item,
    offers.because_item,
    offers.because_last_bought_on
from customer_profiles as profiles
inner join segments on segments.scheme = 'rfm' and profiles.rfm = segments.segment
left join next_best_offers as offers on profiles.customer_id = offers.customer_id and offers.offer_rank = 1
left join (
    select member_id, string_agg(distinct channel, ', ' order by channel) as channels
    from audience_decisions
    where outcome in ('sent', 'lower priority', 'frequency cap', 'sent recently')
    group by member_id
) as reached on profiles.customer_id = reached.member_id
where profiles.rfm in ('cant_lose', 'at_risk')
order by profiles.monetary desc, profiles.customer_id
