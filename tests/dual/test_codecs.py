# Lists, frames, messages, alerts: golden bytes, round trips, hostile bytes.
from dual_support import raises, vectors

from emask import alert, frames, keylist, messages, met, spec


def test_record_is_the_golden_one():
    golden = bytes.fromhex(vectors("golden")["record"])
    assert keylist.pack_record(bytes(range(32)), 1983000, 5, 96) == golden
    assert keylist.unpack_record(golden) == (bytes(range(32)), 1983000, 5, 96)
    raises(keylist.ListError, keylist.unpack_record, bytes(39))


def test_short_gaen_key_is_padded_in_its_record():
    assert keylist.unpack_record(keylist.pack_record(b"k" * 16, 1, 2, 3))[0] == b"k" * 16 + bytes(16)


def test_frames_are_the_golden_ones_and_join_again():
    cut = list(frames.split(4, b"abcdefghijkl", 8, 254))
    assert [frame.hex() for frame in cut] == vectors("golden")["frames"]
    joiner = frames.Joiner()
    assert [joiner.feed(frame) for frame in cut] == [None, None, (4, b"abcdefghijkl")]


def test_messages_of_every_length_pass_through_frames_of_every_size():
    for size in (6, 20, 64, 244):
        joiner = frames.Joiner(300)
        seq = 0
        for length in (0, 1, 2, 3, 17, 18, 59, 60, 240, 300):
            found = None
            for frame in frames.split(7, bytes([length & 0xFF] * length), size, seq):
                assert len(frame) <= size and found is None
                found = joiner.feed(frame)
                seq += 1
            assert found == (7, bytes([length & 0xFF] * length))


def test_joiner_refuses_what_does_not_fit_and_starts_anew():
    first, middle, last = frames.split(4, b"abcdefghijkl", 8, 0)
    for wrong in (
        [b""],
        [b"\0"],
        [b"\0\1"],
        [b"\0\1\4"],
        [middle],
        [last],
        [first, first],
        [first, last],
        [first, middle, middle],
        [first, bytes((1, 1)) + first[2:]],
        [first, b"\x01\x00" + b"x" * 40],
        [first, b"\x01\x02" + b"x"],
        [b"\0\4" + first[2:]],
        [b"\0\1" + b"\4\xff\xff"],
    ):
        joiner = frames.Joiner(100)
        for frame in wrong[:-1]:
            joiner.feed(frame)
        raises(frames.FrameError, joiner.feed, wrong[-1])
        assert [joiner.feed(frame) for frame in (first, middle, last)][-1] == (4, b"abcdefghijkl")


def test_numbers_go_on_from_message_to_message():
    joiner = frames.Joiner()
    assert joiner.feed(list(frames.split(9, b"", 20, 5))[0]) == (9, b"")
    raises(frames.FrameError, joiner.feed, list(frames.split(9, b"", 20, 5))[0])


def test_noise_in_frames_never_does_harm():
    joiner = frames.Joiner(64)
    state = 7
    refused = 0
    for size in range(0, 300):
        noise = bytearray(size % 40)
        for at in range(len(noise)):
            state = state * 1103515245 + 12345 & 0x7FFFFFFF
            noise[at] = state >> 16 & (3 if at == 1 else 0xFF)
        try:
            joiner.feed(noise)
        except frames.FrameError:
            refused += 1
    assert refused > 200


def test_every_fixed_message_reads_back_and_refuses_other_lengths():
    for kind, fields in (
        (spec.HELLO, (2,)),
        (spec.LIST_OFFER, (bytes(178),)),
        (spec.BYE, ()),
        (spec.LIST_WANT, (4096,)),
        (spec.LIST_ACK, (3,)),
        (spec.OK, ()),
        (spec.REFUSED, (1,)),
    ):
        body = messages.pack(kind, *fields)
        assert messages.unpack(kind, body) == fields
        raises(messages.MessageError, messages.unpack, kind, body + b"\0")
        if body:
            raises(messages.MessageError, messages.unpack, kind, body[:-1])
    for kind in (0, 11, spec.SESSION, spec.ASK, spec.LIST_DATA, spec.NONCE, spec.STATUS, spec.UPLOAD, 255):
        raises(messages.MessageError, messages.unpack, kind, b"")


def test_list_data_reads_back():
    assert messages.unpack_list_data(messages.pack_list_data(70000, b"x" * 240)) == (70000, b"x" * 240)
    for body in (b"", b"abc", bytes(4), bytes(245)):
        raises(messages.MessageError, messages.unpack_list_data, body)


def test_alert_is_the_golden_one_and_reads_back():
    record = alert.pack(20660, 1, 1, 77, 20674)
    assert record.hex() == vectors("golden")["alert"]
    assert alert.unpack(record) == (20660, 1, 1, 77, 20674)
    assert alert.unpack(b"") is None


def test_what_an_alert_rests_on_is_the_golden_one_and_reads_back():
    golden = vectors("golden")
    data = bytes.fromhex(golden["met"])
    before, records, more = met.unpack(data)
    assert before == 20655 and more and len(records) == 2 and records[0].hex() == golden["record"]
    assert met.pack(before, records, more) == data == met.pack(before, records + records)
    assert met.unpack(met.pack(7, records[:1])) == (7, records[:1], False)
    assert met.unpack(met.pack(0, [])) == met.unpack(b"") == met.unpack(data[:-1]) == (0, [], False)
    assert met.mark(bytes(range(32)), 77).hex() == golden["withdrawn"] != met.mark(bytes(range(32)), 78).hex()


def test_alert_that_was_taken_back_neither_stands_nor_keeps_others_from_it():
    known = alert.unpack(alert.pack(20660, 1, alert.HEARD, 77, 20674))
    assert not alert.unsaid(known, 20660) and not alert.unsaid(None, 0)
    back = alert.unpack(alert.taken_back(known, 20655))
    assert back == (20655, 1, alert.TAKEN_BACK, 77, 20674)
    assert not alert.active(back, 20660) and alert.unsaid(back, 20674) and not alert.unsaid(back, 20675)
    for flag in (alert.HEARD, alert.ACKNOWLEDGED):
        assert not alert.unsaid(alert.unpack(alert.flagged(back, flag)), 20660)
    assert alert.renewed(back, (20655, 30, 0), 78) is None and alert.renewed(back, (20656, 30, 0), 78)
    assert alert.unpack(alert.judged(known, (20659, 20, 3))) == (20659, 1 | 3 << 2, alert.HEARD, 77, 20673)


def test_same_contact_alerts_once_a_later_one_again():
    record = alert.renewed(None, (20660, 17, 0), 77)
    known = alert.unpack(record)
    assert known == (20660, alert.GRADE_CONTACT, 0, 77, 20674)
    assert alert.unpack(alert.renewed(None, (20660, 17, 0x27), 77))[1] == alert.GRADE_CONTACT | 0x27 << 2
    ended = alert.unpack(alert.flagged(known, alert.ACKNOWLEDGED))
    for before in (known, ended):
        assert alert.renewed(before, None, 78) is None
        assert alert.renewed(before, (20660, 30, 0), 78) is None
    assert alert.unpack(alert.renewed(ended, (20662, 16, 0), 78))[0] == 20662


def test_alert_stands_until_acknowledged_or_expired():
    known = alert.unpack(alert.pack(20660, 1, 0, 77, 20674))
    assert alert.active(known, 20674) and not alert.active(known, 20675)
    assert alert.active(alert.unpack(alert.flagged(known, alert.HEARD)), 20670)
    assert not alert.active(alert.unpack(alert.flagged(known, alert.ACKNOWLEDGED)), 20670)
    assert not alert.active(None, 0)


def test_alert_once_heard_is_a_reminder_a_day():
    assert alert.repeat_ms(alert.HEARD) == 86400000 and alert.repeat_ms(0) == 600000


def test_beep_is_allowed_once_an_hour_or_where_nothing_is_felt():
    hour = 20660 * 86400 + 8 * 3600
    assert [alert.aloud(hour + minute * 60, True) for minute in range(0, 60, 10)] == [True] + [False] * 5
    assert alert.aloud(hour + 1800, False)


def test_daytime_is_seven_to_nine_in_the_evening_local():
    day = 20660 * 86400
    assert [alert.daytime(day + h * 3600) for h in range(24)] == [h < 14 for h in range(24)]
    assert not alert.daytime(day - 1) and alert.daytime(day) and not alert.daytime(day + 14 * 3600)
    assert alert.daytime(day + 7 * 3600, 0) and not alert.daytime(day + 21 * 3600, 0)
