from benchmarks.sealing.lots import Lots

ITEMS = [f"1.2.{number}" for number in range(20)]


def test_an_order_depends_on_the_secret_and_the_purpose_and_not_on_the_order_before():
    lots = Lots(b"a" * 32)

    assert lots.order("scan", ITEMS) == lots.order("scan", reversed(ITEMS))
    assert lots.order("scan", ITEMS) != lots.order("sample", ITEMS)
    assert lots.order("scan", ITEMS) != Lots(b"b" * 32).order("scan", ITEMS)


def test_names_are_all_different_and_those_of_another_secret_are_others():
    names = {Lots(secret * 32).name(item) for item in ITEMS for secret in (b"a", b"b")}

    assert len(names) == 40
    assert all(len(name) == 24 and set(name) <= set("0123456789abcdef") for name in names)


def test_the_secret_is_not_shown():
    assert "aaa" not in repr(Lots(b"a" * 32))
