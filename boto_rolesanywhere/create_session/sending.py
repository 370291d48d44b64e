"""One attempt on the wire, limited in time and size.

botocore's time-outs limit each read, not the whole: a slow answer can outlive them, and an endless
answer fills the memory. So each attempt runs in its own thread, which the caller abandons when the
time is over, and this module reads the body instead of botocore. The limit includes name
resolution, TLS and headers, but not the signature: a person may have to touch the key's device.
"""

from __future__ import annotations

import threading
from contextvars import copy_context
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final

from botocore.awsrequest import AWSResponse
from botocore.exceptions import (
    ConnectionClosedError,
    HTTPClientError,
    ReadTimeoutError,
    SSLError,
)
from urllib3 import exceptions as urllib3_errors

from boto_rolesanywhere.errors import EndpointError, InvalidResponseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from botocore.awsrequest import AWSPreparedRequest

    Send = Callable[[AWSPreparedRequest], AWSResponse]

LONGEST_BODY: Final = 1_000_000  # bytes; the service answers with about 3,000
_PIECE: Final = 4096


def send_within(seconds: float, send: Send, request: AWSPreparedRequest) -> AWSResponse:
    """The answer to `request`, with its whole body."""
    if seconds <= 0:
        raise _too_late()
    outcome: SimpleQueue[AWSResponse | BaseException] = SimpleQueue()
    given_up = threading.Event()

    def attempt() -> None:
        try:
            outcome.put(_send(send, request, given_up))
        except BaseException as error:  # noqa: BLE001  # raised again in the caller's thread
            outcome.put(error)

    thread = threading.Thread(
        target=copy_context().run, args=(attempt,), name="create-session", daemon=True
    )
    try:
        thread.start()
    except RuntimeError:  # the interpreter is ending, or the system gives no more threads
        return _send(send, request, given_up)
    try:
        result = outcome.get(timeout=seconds)
    except Empty:
        raise _too_late() from None
    finally:
        given_up.set()
    if isinstance(result, AWSResponse):
        return result
    raise result


def _too_late() -> EndpointError:
    return EndpointError(
        "CreateSession took too long: the endpoint, or a proxy on the way, did not complete its"
        " answer",
        code="endpoint-unreachable",
        remedy="Check the endpoint and the proxy; try again.",
    )


def _send(send: Send, request: AWSPreparedRequest, given_up: threading.Event) -> AWSResponse:
    request.stream_output = True  # so that `send` leaves the body alone
    response = send(request)
    body = _body(response, request, given_up)
    return AWSResponse(response.url, response.status_code, response.headers, _Content(body))  # type: ignore[arg-type]  # any mapping


def _body(response: AWSResponse, request: AWSPreparedRequest, given_up: threading.Event) -> bytes:
    pieces: list[bytes] = []
    size = 0
    try:
        for piece in response.raw.stream(_PIECE):
            pieces.append(piece)
            size += len(piece)
            if size > LONGEST_BODY or given_up.is_set():
                response.raw.close()  # the rest would come before the next answer
                break
    # As botocore translates them.
    except urllib3_errors.ReadTimeoutError as error:
        raise ReadTimeoutError(endpoint_url=request.url, error=error) from error
    except urllib3_errors.SSLError as error:
        raise SSLError(endpoint_url=request.url, error=error) from error
    except urllib3_errors.ProtocolError as error:
        raise ConnectionClosedError(
            endpoint_url=request.url, request=request, error=error
        ) from error
    except Exception as error:  # urllib3 does not expect every size that a chunk can claim
        raise HTTPClientError(error=error) from error
    if size > LONGEST_BODY:
        raise InvalidResponseError(
            f"CreateSession was answered with more than {LONGEST_BODY:,} bytes",
            code="answer-foreign",
            remedy="Check the endpoint URL, and whether a proxy on the way answers in its place.",
        )
    return b"".join(pieces)


class _Content:
    """A body that was read already, in the form in which botocore reads one."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self) -> Iterator[bytes]:
        yield self._body
