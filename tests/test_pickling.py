import pickle
from dataclasses import FrozenInstanceError, dataclass, replace

import pytest

from isocost.pickling import Portable


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel(Portable):
    name: str
    parts: tuple[int, ...] = ()
    inside: object = None

    def __post_init__(self) -> None:
        if self.name == "refused":
            raise ValueError("refused")


def test_a_record_comes_back_equal_with_all_of_its_fields() -> None:
    parcel = Parcel(name="a", parts=(1, 2), inside=Parcel(name="b"))
    back = pickle.loads(pickle.dumps(parcel))
    assert back == parcel
    assert hash(back) == hash(parcel)
    assert replace(back, name="c").parts == (1, 2)


def test_a_record_that_comes_back_is_frozen() -> None:
    back = pickle.loads(pickle.dumps(Parcel(name="a")))
    with pytest.raises(FrozenInstanceError):
        back.name = "b"


def test_an_object_that_records_share_is_sent_once() -> None:
    shared = Parcel(name="x" * 1000)
    left, right = pickle.loads(pickle.dumps([Parcel(name="a", inside=shared), Parcel(name="b", inside=shared)]))
    assert left.inside is right.inside


def test_a_record_is_not_made_a_second_time() -> None:
    """Its checks ran where it was made; what arrives is what was sent."""
    parcel = Parcel(name="a")
    object.__setattr__(parcel, "name", "refused")
    assert pickle.loads(pickle.dumps(parcel)).name == "refused"
