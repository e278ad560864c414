"""TLS speaks to the host that was named, though the connection goes to its address."""

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest

from rag.errors import FetchFailed
from rag.sources.web.addresses import Ip
from rag.sources.web.fetching import Fetcher
from rag.sources.web.rules import rules_of

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl to make keys"),
]

NAME = "wiki.example.org"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of `NAME` alone, with its key."""
    path = tmp_path_factory.mktemp("tls") / "site.pem"
    made = ["openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt"]
    made += ["ec_paramgen_curve:prime256v1", "-days", "2", "-subj", f"/CN={NAME}"]
    made += ["-addext", f"subjectAltName=DNS:{NAME}", "-keyout", str(path), "-out", f"{path}.crt"]
    subprocess.run(made, check=True, capture_output=True)
    path.write_text(path.read_text() + Path(f"{path}.crt").read_text())
    return path


@asynccontextmanager
async def serving(certificate: Path) -> AsyncIterator[int]:
    """The port of a site that shows this certificate."""

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
        await writer.drain()
        writer.close()

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    server = await asyncio.start_server(meet, "127.0.0.1", 0, ssl=context)
    yield server.sockets[0].getsockname()[1]
    server.close()


def trusting(certificate: Path | None, port: int) -> Fetcher:
    """Whose names all lead to this machine."""

    async def resolve(host: str) -> list[Ip]:
        return [ip_address("127.0.0.1")]

    transport = None
    if certificate is not None:
        context = ssl.create_default_context(cafile=certificate)
        transport = httpx.AsyncHTTPTransport(verify=context, trust_env=False)
    return Fetcher(rules_of(["127.0.0.1"], (port,)), resolve=resolve, transport=transport)


async def test_a_certificate_holds_for_the_name_it_names(certificate: Path) -> None:
    async with serving(certificate) as port:
        fetcher = trusting(certificate, port)
        got = await fetcher.fetch(f"https://{NAME}:{port}/")
        for other in ("other.example.org", "127.0.0.1"):
            with pytest.raises(FetchFailed, match=f"certificate of {other} is not valid"):
                await fetcher.fetch(f"https://{other}:{port}/")
        await fetcher.close()

    assert got is not None
    assert got.content == b"hello"


async def test_a_certificate_of_nobody_we_trust_is_refused(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))  # whatever the environment says
    async with serving(certificate) as port:
        fetcher = trusting(None, port)
        with pytest.raises(FetchFailed, match="certificate"):
            await fetcher.fetch(f"https://{NAME}:{port}/")
        await fetcher.close()
