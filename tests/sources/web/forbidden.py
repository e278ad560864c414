"""Addresses that must never be fetched from, as families: whoever knows of another form adds it
here. Each is a case of `tests/sources/web/test_web_guard.py`."""

import ipaddress
from collections.abc import Iterator

PRIVATE_4 = (
    *("127.0.0.1", "127.0.0.2", "127.1.1.1", "127.255.255.254"),
    *("10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.254", "192.168.0.1", "192.168.1.254"),
    *("169.254.169.254", "169.254.170.2", "169.254.169.123", "169.254.0.1"),  # metadata of clouds
    *("100.100.100.200", "100.64.0.1", "100.127.255.254", "168.63.129.16", "192.0.0.192"),
    *("0.0.0.0", "0.0.0.1", "0.255.255.255", "192.0.0.8", "192.0.0.170", "192.0.2.1"),
    *("198.18.0.1", "198.19.255.254", "198.51.100.7", "203.0.113.9", "192.88.99.1"),
    *("192.31.196.1", "192.52.193.1", "192.175.48.1"),
    *("224.0.0.1", "224.0.0.251", "233.252.0.1", "239.255.255.250"),
    *("240.0.0.1", "254.1.2.3", "255.255.255.255"),
)

PRIVATE_6 = (
    *("::", "::1", "::2", "fe80::1", "febf::1", "fec0::1", "fc00::1", "fd00::1", "fd12:3456::1"),
    *("fd00:ec2::254", "fd20:ce::254", "ff02::1", "ff05::2", "ff0e::1", "ff01::1"),
    *("2001:db8::1", "3fff::1", "3fff:fff::1", "5f00::1", "100::1", "100:0:0:1::1"),
    *("2001::1", "2001:2::1", "2001:3::1", "2001:4:112::1", "2001:10::1", "2001:20::1"),
    *("2001:30::1", "2001:1ff::1", "2002::1", "2620:4f:8000::1", "3ffe::1"),
    *("1::1", "4000::1", "8000::1", "c000::1", "e000::1", "64:ff9b:1::1", "64:ff9a::1"),
    *("fe80::5efe:a00:1", "fe80::200:5efe:a00:1", "0:ffff::1", "::ffff:0:0:1"),
)

EMBEDDED = (
    *("127.0.0.1", "10.0.0.1", "172.16.5.4", "192.168.0.1", "169.254.169.254", "100.64.0.1"),
    *("0.0.0.0", "168.63.129.16", "224.0.0.1", "255.255.255.255"),
)
"""IPv4 addresses that are wrapped into IPv6 in every known way."""


def wrapped(v4: str) -> Iterator[str]:
    """An IPv4 address inside an IPv6 one."""
    n = int(ipaddress.IPv4Address(v4))
    high, low = f"{n >> 16:x}", f"{n & 0xFFFF:x}"
    yield f"::ffff:{v4}"  # mapped
    yield f"::ffff:{high}:{low}"
    yield f"0:0:0:0:0:ffff:{high}:{low}"
    yield f"0000:0000:0000:0000:0000:FFFF:{n >> 16:04X}:{n & 0xFFFF:04X}"
    yield f"::{v4}"  # compatible
    yield f"::ffff:0:{v4}"  # translated (SIIT)
    yield f"64:ff9b::{v4}"  # NAT64
    yield f"64:ff9b::{high}:{low}"
    yield f"64:ff9b:1::{v4}"  # NAT64 within an organization
    yield f"64:ff9b:1:{high}:{low[:-2] or 0}:0:{low[-2:]}00:0"
    yield f"2002:{high}:{low}::"  # 6to4
    yield f"2002:{high}:{low}::1"
    yield f"2001:0:{high}:{low}::1"  # Teredo, as the server
    yield f"2001:0:808:808:0:0:{(n >> 16) ^ 0xFFFF:x}:{(n & 0xFFFF) ^ 0xFFFF:x}"  # as the client
    yield f"2a00:1450::5efe:{high}:{low}"  # ISATAP
    yield f"2a00:1450::200:5efe:{high}:{low}"


DISGUISED = ("127.0.0.1", "169.254.169.254", "10.0.0.1", "192.168.0.1", "8.8.8.8")
"""Written otherwise than as four decimal numbers; the last is public, and refused for its form."""

FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
CIRCLED = str.maketrans("0123456789", "⓪①②③④⑤⑥⑦⑧⑨")
BOLD = str.maketrans("0123456789", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗")


def disguises(v4: str) -> Iterator[str]:
    """The same address as resolvers or browsers may understand it."""
    n = int(ipaddress.IPv4Address(v4))
    a, b, c, d = map(int, v4.split("."))
    yield f"{n}"
    yield f"0x{n:x}"
    yield f"0X{n:X}"
    yield f"0{n:o}"
    yield f"{n + 2**32}"
    yield f"0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}"
    yield f"0{a:o}.0{b:o}.0{c:o}.0{d:o}"
    yield f"0000{a:o}.0{b:o}.0{c:o}.0{d:o}"
    yield f"{a:03}.{b:03}.{c:03}.{d:03}"
    yield f"0x{a:x}.{b}.0{c:o}.{d}"
    yield f"{a}.{b}.{c * 256 + d}"
    yield f"{a}.{(b * 256 + c) * 256 + d}"
    yield f"0x{a:x}.{(b * 256 + c) * 256 + d}"
    yield f"{a + 256}.{b}.{c}.{d}"
    yield f"{v4}.."
    yield f".{v4}"
    yield f"{v4}%00"
    yield f"{v4}%20"
    yield f"%3{v4[0]}{v4[1:]}"  # the first digit as an escape
    yield v4.replace(".", "%2e")
    yield v4.replace(".", "。")
    yield v4.replace(".", "．")
    yield v4.translate(FULL_WIDTH)
    yield v4.translate(CIRCLED)
    yield v4.translate(BOLD)
    yield f"[{v4}]"
    yield f"[::{v4}%25lo]"
    yield f"{v4}\u200b"


SCHEMES = (
    *("file:///etc/passwd", "file://localhost/etc/passwd", "FILE:///c:/windows/win.ini"),
    *("ftp://93.184.216.34/", "gopher://93.184.216.34:80/_GET", "dict://93.184.216.34:80/d:x"),
    *("ldap://93.184.216.34/", "tftp://93.184.216.34/x", "sftp://93.184.216.34/", "ssh://x.org/"),
    *("jar:http://x.org/a.jar!/b", "data:text/html,hello", "javascript:alert(1)", "netdoc:///etc"),
    *("ws://x.org/", "wss://x.org/", "unix:///var/run/docker.sock", "http+unix://%2Fvar%2Frun/"),
    *("smb://x.org/a", "mailto:a@x.org", "view-source:http://x.org/", "blob:http://x.org/1"),
    *("git://x.org/a", "php://filter/resource=http://x.org", "phar://a", "expect://id", "about:"),
    *(
        "httpx://x.org/",
        "http-://x.org/",
        "h\u200bttp://x.org/",
        "ｈttp://x.org/",
        "url:http://x.org",
    ),
)

MALFORMED = (
    *("", " ", "/", "//x.org/", "x.org", "x.org/a", "www.x.org:80/a", "http", "http:", "http:/"),
    *("http://", "http:///", "http:///x.org/", "http://?x.org", "http://#x.org", "http:x.org"),
    *("http:/x.org/", "http:\\\\x.org\\", "http://x.org\\@127.0.0.1/", "http:/\\x.org/"),
    *("http://x.org:/", "http://:80/", "http://x.org:80:80/", "http://x.org: 80/"),
    *("http://x.org:+80/", "http://x.org:-80/", "http://x.org:８０/", "http://x.org:0x50/"),
    *("http://x.org:80a/", "http://x.org:000080/", "http://x.org:65616/", "http://x.org:99999/"),
    *("http://x org/", "http://x.org /", "http://x%2eorg/", "http://x.org%00.y.org/"),
    *("http://x.org%2f@127.0.0.1/", "http://x..org/", "http://.x.org/", "http://x.org../"),
    *("http://-x.org/", "http://x-.org/", "http://x!.org/", "http://x,y.org/", "http://x;y.org/"),
    *("http://[::1", "http://::1]/", "http://[::1]x.org/", "http://[]/", "http://[x.org]/"),
    *("http://[v1.fe80::a]/", "http://[fe80::1%25eth0]/", "http://[fe80::1%eth0]/"),
    *("http://[::ffff:127.0.0.1%25lo]/", "http://[[::1]]/", "http://[2606:4700::1111]]/"),
    *(
        "http://[::ffff:0x7f.1]/",
        "http://[::ffff:0177.0.0.1]/",
        "http://::1/",
        "http://2606:4700::/",
    ),
    *("http://x.org\t/", "ht\ntp://x.org/", "http://x.org/\r\nHost: y", "http://x.org/\x00"),
    *("http://x.org/\x7f", "http://x.org/\x85", "\x01http://x.org/", "http://\x00127.0.0.1/"),
    *(
        "http://" + "a" * 64 + ".org/",
        "http://" + "a." * 127 + "org/",
        "http://x.org/" + "a" * 8_000,
    ),
    *(
        "http://x.org/\ud800",
        "http://xn--a.xn--/\udfff",
        "http://\ud800.org/",
        "http://a\u2044b.org/",
    ),
)

USERINFO = (
    *("http://93.184.216.34@127.0.0.1/", "http://x.org@127.0.0.1/", "http://x.org:80@127.0.0.1/"),
    *("http://a:b@x.org/", "http://@x.org/", "http://:@x.org/", "http://a@b@x.org/"),
    *("http://127.0.0.1:80@x.org/", "http://x.org%40127.0.0.1/", "http://x.org:80%40127.0.0.1/"),
    *(
        "http://x.org#@127.0.0.1@/../",
        "http://127.0.0.1;@x.org/",
        "http://x.org&@127.0.0.1#@y.org/",
    ),
)
"""`#@127.0.0.1@` is a fragment of `http://x.org`, and passes, so that one is not among these."""

PORTS = (
    *(1, 7, 9, 19, 21, 22, 23, 25, 53, 69, 79, 110, 111, 135, 139, 143, 389, 445, 465, 514, 587),
    *(636, 873, 993, 995, 1080, 1433, 1521, 2049, 2375, 2376, 2379, 3000, 3128, 3306, 3389, 4444),
    *(5000, 5432, 5601, 5672, 5900, 5984, 6379, 6443, 8000, 8086, 8500, 8888, 9000, 9090, 9092),
    *(9200, 9300, 10250, 11211, 15672, 27017, 50070, 65535),
)

LOCAL_NAMES = (
    *("localhost", "LOCALHOST", "localhost.", "a.localhost", "a.b.LocalHost.", "ｌocalhost"),
    *("ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "local\u00adhost", "localhost.localdomain.local", "printer.local", "nas.lan"),
    *(
        "metadata",
        "metadata.google.internal",
        "METADATA.google.internal.",
        "metadata。google。internal",
    ),
    *("instance-data.ec2.internal", "db", "redis", "wiki", "intranet", "kubernetes", "router"),
    *("kubernetes.default.svc.cluster.local", "vault.service.home", "host.docker.internal"),
    *("gateway.docker.internal", "router.home.arpa", "1.0.0.127.in-addr.arpa", "wiki.corp"),
    *("a.invalid", "a.test", "a.onion", "a.private", "a.alt", "xn--localhost", "a.Ｌocal"),
)
"""Nothing is asked about these."""


def forbidden_urls() -> list[str]:
    """All that is refused without asking anyone."""
    urls = [f"http://{ip}/" for ip in PRIVATE_4]
    urls += [f"https://[{ip}]/" for ip in PRIVATE_6]
    urls += [f"http://[{ip}]/latest/meta-data/" for v4 in EMBEDDED for ip in wrapped(v4)]
    urls += [f"http://{host}/" for v4 in DISGUISED for host in disguises(v4)]
    urls += [f"http://{host}:8080/" for v4 in DISGUISED[:2] for host in disguises(v4)]
    urls += [*SCHEMES, *MALFORMED, *(url for url in USERINFO if "#@127" not in url)]
    urls += [f"http://x.org:{port}/" for port in PORTS]
    urls += [f"https://93.184.216.34:{port}/" for port in PORTS[::7]]
    urls += [f"http://{name}/" for name in LOCAL_NAMES]
    return list(dict.fromkeys(urls))


PUBLIC = ("93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946")


def forbidden_answers() -> list[tuple[str, ...]]:
    """What name servers must not make us connect to."""
    alone = [(ip,) for ip in (*PRIVATE_4, *PRIVATE_6)]
    embedded = [(ip,) for ip in wrapped("127.0.0.1")] + [(ip,) for ip in wrapped("10.0.0.1")]
    mixed = [
        answers
        for private in ("127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00::1")
        for public in PUBLIC
        for answers in ((public, private), (private, public), (public, public, private))
    ]
    return [*alone, *embedded, *mixed]
