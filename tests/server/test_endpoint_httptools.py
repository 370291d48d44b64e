"""The parts of httptools and asyncio that the endpoint uses; a changed release fails here."""

from __future__ import annotations

import asyncio
import socket

import httptools
import pytest

REQUEST = b"GET /a%20b?c HTTP/1.1\r\nHost: x\r\nX: 1\r\n\r\n"


class Heard:
    """Notes what the parser calls, and what can be asked of the parser then."""

    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []
        self.parser = httptools.HttpRequestParser(self)

    def on_message_begin(self) -> None:
        self.calls.append(("begin",))

    def on_url(self, url: bytes) -> None:
        self.calls.append(("url", url))

    def on_header(self, name: bytes, value: bytes) -> None:
        self.calls.append(("header", name, value))

    def on_headers_complete(self) -> None:
        parser = self.parser
        self.calls.append(
            (
                "headers",
                parser.get_method(),
                parser.get_http_version(),
                parser.should_keep_alive(),
                parser.should_upgrade(),
            )
        )

    def on_body(self, body: bytes) -> None:
        self.calls.append(("body", body))

    def on_message_complete(self) -> None:
        self.calls.append(("complete",))


def heard(*data: bytes) -> list[tuple[object, ...]]:
    listener = Heard()
    for piece in data:
        listener.parser.feed_data(piece)
    return listener.calls


def refused(*data: bytes) -> httptools.HttpParserError:
    with pytest.raises(httptools.HttpParserError) as caught:
        heard(*data)
    assert not isinstance(caught.value, httptools.HttpParserUpgrade)
    return caught.value


def test_the_calls_of_a_request_come_in_this_order() -> None:
    assert heard(REQUEST) == [
        ("begin",),
        ("url", b"/a%20b?c"),
        ("header", b"Host", b"x"),
        ("header", b"X", b"1"),
        ("headers", b"GET", "1.1", True, False),
        ("complete",),
    ]
    assert httptools.parse_url(b"/a%20b?c").path == b"/a%20b"


def test_a_request_in_single_bytes_gives_whole_headers_and_a_url_in_parts() -> None:
    calls = heard(*(bytes([byte]) for byte in REQUEST))

    assert b"".join(bytes(call[1]) for call in calls if call[0] == "url") == b"/a%20b?c"  # type: ignore[call-overload]
    assert [call for call in calls if call[0] == "header"] == [
        ("header", b"Host", b"x"),
        ("header", b"X", b"1"),
    ]


def test_headers_are_complete_before_the_body_and_trailers_come_after_it() -> None:
    calls = heard(
        b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nT: 1\r\n\r\n"
    )
    names = [call[0] for call in calls]

    assert names.index("headers") < names.index("body") < len(names) - 1
    assert names[-1] == "complete"


@pytest.mark.parametrize(
    ("more", "version", "keeps", "upgrades"),
    [
        (b"", b"1.1", True, False),
        (b"Connection: close\r\n", b"1.1", False, False),
        (b"Connection: keep-alive\r\n", b"1.0", True, False),
        (b"", b"1.0", False, False),
    ],
)
def test_it_says_whether_the_connection_stays(
    more: bytes, version: bytes, keeps: bool, upgrades: bool
) -> None:
    calls = heard(b"GET / HTTP/%b\r\n%b\r\n" % (version, more))

    assert ("headers", b"GET", version.decode(), keeps, upgrades) in calls


def test_a_wish_for_an_upgrade_is_known_with_the_headers_and_ends_the_parsing() -> None:
    listener = Heard()
    with pytest.raises(httptools.HttpParserUpgrade):
        listener.parser.feed_data(
            b"GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nmore"
        )

    assert listener.calls[-2:] == [("headers", b"GET", "1.1", True, True), ("complete",)]


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"GET / HTTP/1.1\r\nA : 1\r\n\r\n",
        b"GET / HTTP/1.1\r\nA\0: 1\r\n\r\n",
        b"GET / HTTP/1.1\r\n folded: 1\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: 1\n\nGET",
        b"GET / HTTP/9.9\r\n\r\n",
        b"NO / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nConnection: close\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_what_could_be_read_in_two_ways_is_an_error(data: bytes) -> None:
    refused(data)


def test_what_a_callback_raises_is_the_parsers_error() -> None:
    class Picky(Heard):
        def on_headers_complete(self) -> None:
            raise ValueError

    with pytest.raises(httptools.HttpParserCallbackError):
        Picky().parser.feed_data(REQUEST)
    assert issubclass(httptools.HttpParserCallbackError, httptools.HttpParserError)
    with pytest.raises(httptools.HttpParserInvalidURLError):
        httptools.parse_url(b"/\xff\0")


class Pair(asyncio.Protocol):
    """One side of a connection, as asyncio calls it."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.lost = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.calls.append("made")

    def pause_writing(self) -> None:
        self.calls.append("pause")

    def connection_lost(self, _exc: Exception | None) -> None:
        self.calls.append("lost")
        self.lost.set()


def test_a_transport_says_within_write_that_the_client_does_not_read() -> None:
    async def calls() -> tuple[list[str], list[str]]:
        ours, theirs = socket.socketpair()
        with theirs:
            loop = asyncio.get_running_loop()
            _, side = await loop.create_connection(Pair, sock=ours)
            side.transport.write(bytes(10_000_000))
            at_once = list(side.calls)
            side.transport.abort()
            assert side.transport.is_closing()
            assert "lost" not in side.calls  # it comes a turn of the loop later
            await side.lost.wait()
            return at_once, side.calls

    at_once, after = asyncio.run(calls())
    assert at_once == ["made", "pause"]
    assert after == ["made", "pause", "lost"]


def test_reading_may_be_paused_and_resumed_twice() -> None:
    async def readings() -> list[bool]:
        ours, theirs = socket.socketpair()
        with theirs:
            loop = asyncio.get_running_loop()
            _, side = await loop.create_connection(Pair, sock=ours)
            await asyncio.sleep(0)
            seen = []
            for change in (
                *(side.transport.pause_reading, side.transport.pause_reading),
                *(side.transport.resume_reading, side.transport.resume_reading),
            ):
                change()
                seen.append(side.transport.is_reading())
            side.transport.close()
            side.transport.pause_reading()
            side.transport.resume_reading()
            await side.lost.wait()
            return seen

    assert asyncio.run(readings()) == [False, False, True, True]
