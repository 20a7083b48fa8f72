"""Feeds of our own: what the platform `feed` publishes, served to everybody.

A row per delivery is the post; all else follows from the rows. docs/feeds.md tells the whole.

    edition              a feed as it is served now, as values (pure)
    rss, atom, jsonfeed  an edition as a document
    addresses            where all of this is found
    entries              the rows: opening a feed; putting, changing, withdrawing entries
    reading              from rows to an edition
    pages                what visitors and programs ask for
    pings                telling WebSub hubs, after the fact
"""
