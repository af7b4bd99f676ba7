import pytest

from ai.runtime.devices import cuda_devices, resolve_device
from engine.errors import UserError


@pytest.mark.parametrize(
    ("setting", "found", "device", "told"),
    [
        ("auto", 0, "cpu", "no CUDA device was found"),
        ("auto", 2, "cuda:0", "is measured"),
        ("cpu", 2, "cpu", "as set"),
        ("cuda:1", 2, "cuda:1", "as set"),
        ("cuda", 1, "cuda:0", "as set"),
    ],
)
def test_a_setting_becomes_a_device_and_a_sentence(setting: str, found: int, device: str, told: str) -> None:
    resolved = resolve_device(setting, found)
    assert str(resolved) == device
    assert told in resolved.told


@pytest.mark.parametrize(
    ("setting", "found", "told"),
    [
        ("cuda:0", 0, "no CUDA device was found; set device to auto or cpu"),
        ("cuda:3", 2, "only cuda:0 to cuda:1"),
        ("cuda:1", 1, "only cuda:0 was"),
        ("gpu", 1, "choose auto, cpu or cuda:0"),
        ("cuda:-1", 1, "is unknown"),
    ],
)
def test_a_device_that_is_not_here_says_what_is(setting: str, found: int, told: str) -> None:
    with pytest.raises(UserError, match=told):
        resolve_device(setting, found)


def test_the_driver_can_be_asked_on_any_machine() -> None:
    assert cuda_devices() >= 0
