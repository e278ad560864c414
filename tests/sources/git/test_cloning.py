"""Repositories that are fetched: what arrives, what is refused, and that nothing is executed."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.codebase.cloning import Clones, named_by
from rag.errors import AddressRefused, DocumentTooLarge, FetchFailed, InvalidRequest
from rag.sources.git.cloning import CloneLimits, check_ref
from rag.sources.web.fetching import Fetcher
from rag.sources.web.rules import rules_of
from tests.codebase.repositories import commit, git, repository, write
from tests.sources.git.hosting import Forge, elsewhere, saying, slow

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed"),
]


@pytest.fixture
def forge(tmp_path: Path) -> Iterator[Forge]:
    with Forge(tmp_path / "hosted") as forge:
        yield forge


@pytest.fixture
def code(forge: Forge) -> Path:
    return repository(forge.folder / "shop", {"src/retry.py": "LIMIT = 3\n"})


def clones(folder: Path, *forges: Forge, **limits: int | float) -> Clones:
    ports = tuple(forge.port for forge in forges)
    fetcher = Fetcher(rules_of(("127.0.0.1",), ports))
    return Clones(folder / "clones", fetcher, CloneLimits(**limits))  # type: ignore[arg-type]  # fields by name


async def test_a_clone_is_bare_and_follows_what_is_pushed(
    forge: Forge, code: Path, tmp_path: Path
) -> None:
    ours = clones(tmp_path, forge)
    folder = await ours.fetch(forge.url("shop"), None)
    first = git(folder, "rev-parse", "HEAD")
    write(code, {"src/new.py": "x = 1\n"})
    second = commit(code, "more")
    again = await ours.fetch(forge.url("shop"), None)

    assert first == git(code, "rev-parse", "HEAD~1")
    assert again == folder == ours.folder_of(forge.url("shop"))
    assert git(folder, "rev-parse", "HEAD") == second
    assert git(folder, "rev-parse", "--is-bare-repository") == "true"
    assert git(folder, "rev-list", "--count", "HEAD") == "1"  # one commit is fetched at a time
    assert not (folder / "hooks").exists()
    assert not list((folder / "objects" / "pack").glob("tmp_*"))


async def test_a_branch_a_tag_and_a_commit_are_found_by_their_names(
    forge: Forge, code: Path, tmp_path: Path
) -> None:
    ours, url = clones(tmp_path, forge), forge.url("shop")
    git(code, "tag", "--annotate", "--message", "one", "v1")
    first = git(code, "rev-parse", "HEAD")
    git(code, "checkout", "--quiet", "-b", "side")
    write(code, {"src/side.py": "y = 1\n"})
    second = commit(code, "aside")

    folder = await ours.fetch(url, "v1")
    assert git(folder, "rev-parse", "v1^{commit}") == first
    await ours.fetch(url, "side")
    assert git(folder, "rev-parse", "side") == second
    await ours.fetch(url, first)
    with pytest.raises(InvalidRequest, match="no branch or tag 'nowhere'"):
        await ours.fetch(url, "nowhere")


async def test_our_own_settings_passwords_and_proxies_stay_at_home(
    forge: Forge, code: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    write(home, {".netrc": "machine 127.0.0.1 login me password secret\n"})
    write(home, {".gitconfig": '[url "http://127.0.0.1:1/"]\n\tinsteadOf = http://127.0.0.1\n'})
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("GIT_ASKPASS", "/bin/echo")
    heard: list[str | None] = []

    def guarded(handler: object) -> bool:
        heard.append(handler.headers.get("Authorization"))  # type: ignore[attr-defined]  # of the server
        return False

    forge.answer = guarded
    await clones(tmp_path, forge).fetch(forge.url("shop"), None)

    assert set(heard) == {None}


@pytest.mark.parametrize(
    ("status", "says"), [(401, "sign in"), (404, "did not send"), (500, "did not send")]
)
async def test_what_a_host_does_not_give_is_told_without_a_prompt(
    forge: Forge, tmp_path: Path, status: int, says: str
) -> None:
    forge.answer = saying(status, **{"WWW-Authenticate": 'Basic realm="x"'})

    with pytest.raises(FetchFailed, match=says):
        await clones(tmp_path, forge).fetch(forge.url("shop"), None)


async def test_a_redirect_is_not_followed(forge: Forge, code: Path, tmp_path: Path) -> None:
    with Forge(forge.folder) as hidden:
        forge.answer = elsewhere(f"http://127.0.0.1:{hidden.port}")
        with pytest.raises(FetchFailed, match="redirects"):
            await clones(tmp_path, forge, hidden).fetch(forge.url("shop"), None)

    assert forge.asked
    assert hidden.asked == []


async def test_the_dumb_protocol_and_its_alternates_are_not_spoken(
    forge: Forge, code: Path, tmp_path: Path
) -> None:
    head = git(code, "rev-parse", "HEAD")
    with Forge(forge.folder) as hidden:
        files = {
            "/shop/info/refs": f"{head}\trefs/heads/main\n",
            "/shop/HEAD": "ref: refs/heads/main\n",
            "/shop/objects/info/http-alternates": f"http://127.0.0.1:{hidden.port}/shop/.git\n",
        }

        def dumb(handler: object) -> bool:
            path = handler.path.partition("?")[0]  # type: ignore[attr-defined]  # of the server
            text = files.get(path)
            return bool(handler.reply(200 if text else 404, (text or "").encode()))  # type: ignore[attr-defined]  # of the server

        forge.answer = dumb
        with pytest.raises(FetchFailed):
            await clones(tmp_path, forge, hidden).fetch(forge.url("shop"), "main")

    assert forge.asked
    assert not any("/objects/" in path for path in forge.asked)
    assert hidden.asked == []


async def test_what_is_too_large_or_too_slow_is_given_up(
    forge: Forge, code: Path, tmp_path: Path
) -> None:
    write(code, {"blob.py": os.urandom(300_000)})
    commit(code, "large")

    with pytest.raises(DocumentTooLarge, match="larger than 100,000 bytes"):
        await clones(tmp_path, forge, bytes=100_000).fetch(forge.url("shop"), None)
    forge.answer = slow(2.0)
    with pytest.raises(FetchFailed, match=r"within 0\.5 s"):
        await clones(tmp_path, forge, seconds=0.5).fetch(forge.url("shop"), None)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/shop",
        "https://localhost/shop",
        "https://169.254.169.254/latest",
        "https://[::1]/shop",
        "https://user:password@example.org/shop",
        "https://2130706433/shop",
        "http://93.184.216.34/shop",  # public, but not by https
    ],
)
async def test_what_may_not_be_fetched_is_refused_before_git_begins(
    url: str, tmp_path: Path
) -> None:
    ours = Clones(tmp_path / "clones", Fetcher(rules_of(())))

    with pytest.raises(AddressRefused):
        await ours.fetch(url, None)
    assert not (tmp_path / "clones").exists()


@pytest.mark.parametrize(
    "ref", ["--upload-pack=x", "a..b", "+a", "a:b", "a b", "", "@{u}", "a\x00", "a^", "x" * 400]
)
def test_a_ref_is_a_name_and_nothing_else(ref: str) -> None:
    with pytest.raises(InvalidRequest):
        check_ref(ref)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://example.org/a/shop.git", "shop"),
        ("https://example.org/a/shop/", "shop"),
        ("https://example.org", "example.org"),
    ],
)
def test_a_repository_is_called_by_the_end_of_its_address(url: str, name: str) -> None:
    assert named_by(url)[1] == name
