from rag.chunking.parts import equal_parts


def test_parts_are_near_equal_and_begin_behind_spaces() -> None:
    assert equal_parts("aaaa bbbb cccc dddd", 0, 19, 2) == [0, 10]


def test_parts_without_spaces_are_cut_anywhere() -> None:
    assert equal_parts("x" * 10, 0, 10, 2) == [0, 5]


def test_one_character_is_one_part() -> None:
    assert equal_parts("xyz", 1, 2, 5) == [1]
