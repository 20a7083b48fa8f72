"""Static sites: one file per story in a real git repository, over real HTTP."""

import asyncio
import shutil
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from config.outbound import Client, OutboundError, from_settings
from publishing import platforms
from publishing.errors import Reauthorise, Refusal, Unknown, Wait
from publishing.platforms import git_commands
from publishing.platforms.static_git import StaticGit
from publishing.post import Job, Post
from tests.publishing.git_server import git_server

pytestmark = pytest.mark.skipif(
    shutil.which("git") is None, reason="GIT TESTS NOT RUN: git is missing; apt-get install git"
)

STORY = Post(
    "Ferry “returns”: at last", "<p>It <b>sails</b>.</p><ul><li>Daily</li></ul>", "It sails.",
    summary="Back.", tags=("sea",), authors=("Mara Ellingsund",), language="en",
    marker="0f7be9a2-5c1d-4b7e-9d7e-2f6c1f0f1a11",
)  # fmt: skip
PATH = "content/posts/2026-03-01-ferry-returns-at-last-0f7be9a2.md"


@pytest.fixture
def server(tmp_path):
    with git_server(tmp_path) as server:
        yield server


@pytest.fixture
def job(server):
    options = {
        "url": server.url, "branch": "main", "folder": "content/posts",
        "address": "https://site.example/{year}/{slug}/",
    }  # fmt: skip
    return Job(STORY, options, {}, made_at=datetime(2026, 3, 1, 9, 30, tzinfo=UTC))


def calls(act, job):
    async def go():
        async with Client(from_settings()) as http:
            return await getattr(platforms.platform("static_git"), act)(job, http)

    return asyncio.run(go())


def test_a_story_becomes_a_file_with_front_matter(server, job):
    receipt = calls("publish", job)
    assert receipt.remote_id == PATH
    assert receipt.remote_url == "https://site.example/2026/ferry-returns-at-last-0f7be9a2/"
    assert server.files() == [PATH]
    text = server.git("show", f"main:{PATH}")
    assert text.startswith('---\ntitle: "Ferry “returns”: at last"\ndate: "2026-03-01T09:30')
    assert 'authors: ["Mara Ellingsund"]\ntags: ["sea"]' in text
    assert text.endswith("---\n\nIt **sails**.\n\n- Daily\n")
    assert "Newsdesk: 0f7be9a2" in server.git("log", "-1", "--format=%B")


def test_whatever_is_repeated_there_is_one_file_and_one_commit(server, job):
    calls("publish", job)
    again = calls("publish", replace(job, again=True))
    assert again.confirmed_by == "look_up"
    assert (server.files(), server.commits()) == ([PATH], 1)


def test_an_answer_lost_after_the_push_is_unknown_and_found_at_the_next_attempt(server, job):
    server.after = lambda method, path: method == "POST" and path.endswith("receive-pack")
    with pytest.raises(Unknown):
        calls("publish", job)
    server.after = lambda _method, _path: False
    assert calls("publish", replace(job, again=True)).remote_id == PATH
    assert server.commits() == 1


def test_what_is_there_already_stays(server, job):
    tree = server.git(
        "mktree",
        given=f"100644 blob {server.git('hash-object', '-w', '--stdin').strip()}\tREADME\n",
    ).strip()
    commit = server.git("commit-tree", tree, "-m", "Begin").strip()
    server.git("update-ref", "refs/heads/main", commit)
    calls("publish", job)
    assert server.files() == ["README", PATH]
    assert server.commits() == 2


def test_a_correction_keeps_the_files_name_and_its_date(server, job):
    receipt = calls("publish", job)
    corrected = replace(
        job, post=replace(STORY, title="Ferry stays", html="<p>No.</p>"), remote_id=PATH,
        made_at=datetime(2026, 3, 2, 8, 0, tzinfo=UTC),
    )  # fmt: skip
    assert calls("edit", corrected).remote_url == receipt.remote_url
    text = server.git("show", f"main:{PATH}")
    assert 'date: "2026-03-01T09:30:00+00:00"\nlastmod: "2026-03-02T08:00:00+00:00"' in text
    assert 'slug: "ferry-returns-at-last-0f7be9a2"' in text
    assert calls("seen", corrected).text == "No."
    calls("edit", corrected)
    assert server.commits() == 2


def test_a_withdrawal_takes_the_file_away_and_twice_is_once(server, job):
    calls("publish", job)
    gone = replace(job, remote_id=PATH)
    calls("delete", gone)
    calls("delete", gone)
    assert (server.files(), server.commits()) == ([], 2)
    assert not calls("seen", gone).there


def test_a_link_in_the_repository_leads_nowhere(server, job, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    blob = server.git("hash-object", "-w", "--stdin", given=str(outside)).strip()
    tree = server.git("mktree", given=f"120000 blob {blob}\tcontent\n").strip()
    server.git("update-ref", "refs/heads/main", server.git("commit-tree", tree, "-m", "x").strip())
    with pytest.raises((Wait, Unknown, Refusal)):
        calls("publish", job)
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize(
    ("status", "kind"), [(401, Reauthorise), (403, Reauthorise), (404, Refusal), (503, Wait)]
)
def test_an_answer_before_anything_was_sent_is_definite(server, job, status, kind):
    server.before = lambda _method, _path: status
    with pytest.raises(kind):
        calls("publish", job)


def test_a_repositorys_name_is_no_answer(server, job):
    server.before = lambda _method, _path: 503
    options = {**job.options, "url": server.url.replace("site.git", "404-not-found.git")}
    with pytest.raises(Wait):
        calls("publish", replace(job, options=options))


@pytest.mark.parametrize(("status", "kind"), [(403, Reauthorise), (500, Unknown)])
def test_an_answer_to_the_push_itself(server, job, status, kind):
    server.before = lambda method, path: (
        status if method == "POST" and path.endswith("receive-pack") else None
    )
    with pytest.raises(kind):
        calls("publish", job)


def test_a_hook_that_refuses_is_a_refusal(server, job):
    hook = server.repository / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho No posts on Sundays >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(Refusal, match="refuses the commit"):
        calls("publish", job)


def test_the_token_opens_and_is_never_told(server, job):
    server.token = "SECRET-TOKEN"
    with pytest.raises(Reauthorise) as refused:
        calls("publish", replace(job, credentials={"token": "WRONG-TOKEN"}))
    assert "WRONG-TOKEN" not in str(refused.value)
    calls("publish", replace(job, credentials={"token": "SECRET-TOKEN"}))
    assert server.commits() == 1


def test_a_repository_inside_the_network_is_refused(job, settings):
    settings.OUTBOUND_ALLOWED_NETWORKS = []
    with pytest.raises(OutboundError, match="private or special network"):
        calls("publish", job)


def test_git_connects_to_the_judged_address_alone(server, job, monkeypatch):
    judged = []

    async def elsewhere(_self, url):
        judged.append(url)
        return "localhost", server.port, "127.0.0.2"

    monkeypatch.setattr(Client, "judged", elsewhere)
    with pytest.raises(Wait, match="Failed to connect"):  # nobody listens at 127.0.0.2
        calls("publish", job)
    assert judged == [server.url]


def test_a_git_that_hangs_is_ended(server, job, monkeypatch):
    monkeypatch.setattr(git_commands, "_DEADLINE", 0.5)
    server.before = lambda _method, _path: __import__("time").sleep(3)
    with pytest.raises(Wait, match="not through within"):
        calls("publish", job)


def test_a_git_that_would_look_names_up_itself_is_refused(server, job, monkeypatch):
    monkeypatch.setattr(git_commands, "_OLDEST", (99, 0))
    with pytest.raises(Refusal, match="install a newer one"):
        calls("publish", job)


@pytest.mark.parametrize("branch", ["a..b", "-f", "x.lock", "a b", "a/", "@{x", "refs//x"])
def test_a_branch_that_is_none_is_found_before_anything_is_sent(job, branch):
    found = platforms.platform("static_git").problems(STORY, {**job.options, "branch": branch})
    assert [each.field for each in found] == ["branch"]


@pytest.mark.parametrize("folder", ["../x", "/etc", "a//b", "-x", "a b", ".git"])
def test_a_folder_that_leads_away_is_found(job, folder):
    found = platforms.platform("static_git").problems(STORY, {**job.options, "folder": folder})
    assert [each.field for each in found] == ["folder"]


def test_the_connection_is_tested_by_reading(server, job):
    calls("publish", job)

    async def go():
        async with Client(from_settings()) as http:
            return await StaticGit().verify(job.options, {}, http)

    assert asyncio.run(go()) == "The branch main can be read."
