"""The wire simulator: the world outside the desk, on loopback, in the real wire formats.

`python -m simulator` serves an invented country's news (feeds, Hacker News, Reddit), platforms that
receive what the desk publishes (WordPress, Mastodon, a signed webhook, a bare one without any
means against duplicates) and three AI interfaces. It serves demos, browser tests, drills and
benchmarks; `simulator.testing.running` starts it as a child process.

It shares no code with the desk on purpose: it must not share our ideas of how the world behaves.
"""
