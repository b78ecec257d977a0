import pytest

from genengine.assets.byte_ranges import ByteRange, RangeNotSatisfiable, parse_ranges


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-9", [ByteRange(0, 9)]),
        ("bytes=90-", [ByteRange(90, 99)]),
        ("bytes=-10", [ByteRange(90, 99)]),
        ("bytes=-1000", [ByteRange(0, 99)]),
        ("bytes=95-1000", [ByteRange(95, 99)]),
        ("bytes=0-1, 5-6", [ByteRange(0, 1), ByteRange(5, 6)]),
        ("bytes=0-1,200-300", [ByteRange(0, 1)]),
    ],
)
def test_asked_parts_are_cut_to_the_file(header, expected):
    assert parse_ranges(header, 100) == expected


@pytest.mark.parametrize(
    "header",
    ["", "lines=0-9", "bytes=", "bytes=-", "bytes=9-1", "bytes=a-b", "bytes 0-9", "bytes=" + "0-0," * 17 + "1-1"],
)
def test_a_malformed_or_greedy_header_means_the_whole_file(header):
    assert parse_ranges(header, 100) == []


def test_overlapping_parts_mean_the_whole_file():
    assert parse_ranges("bytes=0-50,40-60", 100) == []


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_parts_behind_the_end_are_refused(header):
    with pytest.raises(RangeNotSatisfiable, match=r"bytes \*/100"):
        parse_ranges(header, 100)
