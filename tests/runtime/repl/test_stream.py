import threading

import pytest

from runtime.client import MashClient, MashHostClientError, RequestEvent
from runtime.client import stream as stream_module
from tests.runtime.repl.fake_host import REQUEST_ID, RETRY, FakeHost, Playback, frame
from tests.runtime.repl.recordings import COMMON, TOOL_TURN, Event, completed, frames, trace

WHOLE = frames(TOOL_TURN)


def read(client: MashClient, after_sequence: int = 0) -> list[RequestEvent]:
    return list(client.stream_request("primary", REQUEST_ID, after_sequence=after_sequence))


def cursors(host: FakeHost) -> list[str | None]:
    return [seen.headers.get("last-event-id") for seen in host.of("GET", "/events")]


def test_a_stream_gives_each_event_and_ends_after_the_terminal_one(host: FakeHost, client: MashClient):
    host.streams = [Playback(WHOLE)]
    events = read(client)
    assert [(event.name, event.data) for event in events] == TOOL_TURN
    assert [event.sequence for event in events] == list(range(1, len(TOOL_TURN) + 1))
    assert cursors(host) == [None]


@pytest.mark.parametrize("is_cut", [True, False])
@pytest.mark.parametrize("position", range(len(RETRY), len(WHOLE) - 1, 97))
def test_a_stream_cut_anywhere_goes_on_after_the_last_whole_event(
    host: FakeHost, client: MashClient, position: int, is_cut: bool
):
    received = WHOLE[:position].count(b"\n\n") - 1
    host.streams = [
        Playback(WHOLE[:position], is_cut=is_cut),
        Playback(frames(TOOL_TURN[received:], first=received + 1)),
    ]
    assert [(event.name, event.data) for event in read(client)] == TOOL_TURN
    assert cursors(host) == [None, str(received) if received else None]


def test_a_server_that_repeats_events_repeats_none_to_the_reader(host: FakeHost, client: MashClient):
    host.streams = [Playback(frames(TOOL_TURN[:4]), is_cut=True), Playback(WHOLE)]
    assert [event.sequence for event in read(client)] == [1, 2, 3, 4, 5, 6, 7]


def test_text_deltas_have_no_place_in_the_log_and_are_all_given(host: FakeHost, client: MashClient):
    deltas = [frame(None, "agent.trace", trace("llm.response.delta", {"text": text})) for text in ("Hel", "lo")]
    content = frames(TOOL_TURN[:2]) + b"".join(deltas) + frame(3, *completed("Hello"))
    host.streams = [Playback(content)]
    assert [event.sequence for event in read(client)] == [1, 2, None, None, 3]


def test_a_request_that_was_cancelled_and_resumed_is_read_to_its_second_end(host: FakeHost, client: MashClient):
    log: list[Event] = [
        ("request.cancelled", {**COMMON, "reason": "cancelled"}),
        ("request.resumed", {**COMMON, "attempt": 2}),
        completed("done"),
    ]
    host.streams = [Playback(frames(log))]
    assert [event.name for event in read(client)] == ["request.cancelled", "request.resumed", "request.completed"]


def test_comments_and_empty_frames_are_no_events(host: FakeHost, client: MashClient):
    host.streams = [Playback(b": keep-alive\n\n" + RETRY + b": keep-alive\n\n" + frame(1, *completed("hi")))]
    assert [event.name for event in read(client)] == ["request.completed"]


def test_a_cut_after_the_terminal_event_is_an_end(host: FakeHost, client: MashClient):
    host.streams = [Playback(WHOLE, is_cut=True)]
    assert read(client)[-1].name == "request.completed"


def test_nothing_after_the_cursor_of_an_ended_request_is_an_end(host: FakeHost, client: MashClient):
    host.streams = [Playback(status=204)]
    assert read(client, after_sequence=7) == []
    assert cursors(host) == ["7"]


def test_a_restarting_server_is_waited_for(host: FakeHost, client: MashClient):
    host.streams = [Playback(frames(TOOL_TURN[:2]), is_cut=True), Playback(status=503), Playback(WHOLE)]
    assert len(read(client)) == len(TOOL_TURN)


def test_an_unknown_request_is_an_error_at_once(host: FakeHost, client: MashClient):
    host.streams = [Playback(status=404)]
    with pytest.raises(MashHostClientError) as caught:
        read(client)
    assert (caught.value.status, caught.value.code) == (404, "REQUEST_NOT_FOUND")


def test_a_stream_that_never_gets_further_is_given_up(
    host: FakeHost, client: MashClient, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(stream_module, "MAX_FAILURES", 2)
    host.streams = [Playback(RETRY, is_cut=True) for _ in range(3)]
    with pytest.raises(MashHostClientError, match="No answer"):
        read(client)
    assert len(cursors(host)) == 3


def test_a_silent_connection_is_left_for_a_new_one(host: FakeHost, client: MashClient, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(stream_module, "SILENCE_S", 0.2)
    hold = threading.Event()
    host.streams = [Playback(frames(TOOL_TURN[:2]), hold=hold), Playback(WHOLE)]
    try:
        assert len(read(client)) == len(TOOL_TURN)
    finally:
        hold.set()
    assert cursors(host) == [None, "2"]


def test_a_frame_that_is_not_json_is_an_error(host: FakeHost, client: MashClient):
    host.streams = [Playback(b"id: 1\nevent: agent.trace\ndata: {nope\n\n")]
    with pytest.raises(MashHostClientError, match="not a JSON object"):
        read(client)


def test_a_reader_that_waits_is_stopped_from_another_thread(host: FakeHost, client: MashClient):
    never = threading.Event()
    host.streams = [Playback(frames(TOOL_TURN[:2]), hold=never)]
    stream, seen = client.open_stream("primary", REQUEST_ID), []
    reader = threading.Thread(target=lambda: seen.extend(stream.events()))
    reader.start()
    assert host.streaming.wait(20)
    stream.stop()
    reader.join(5)
    never.set()
    assert not reader.is_alive()
    assert len(host.of("GET", "/events")) == 1
