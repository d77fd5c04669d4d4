"""From the text of a call to a plan: a pure, deterministic reading.

reading    pages -> lines -> blocks (a heading or label and what stands under it)
findings   page limits, money, dates, points: each with the page it stands on
topics     what sections of a proposal are about, and what to ask the user for each
outline    blocks and findings -> the sections of the plan
"""
