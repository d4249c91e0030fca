import pytest

from replan.tools.address_forms import address_forms, own_forms


@pytest.mark.parametrize(
    "url",
    [
        "http://EVIL.example/x",
        "http://evil.example./x",
        "HTTP://evil.example/x",
        " http://evil.example/x",
        "http://user:word@evil.example/x",
        "http://evil.example:80/x",
        "http://evil.example:443/x",
        "http://evil.example:8080/x",
        "http://evil%2eexample/x",
        "http://\uff45vil.example/x",
        "http://evil\u3002example/x",
        "http://evil.example/%78",
        "http://evil.example/x#part",
    ],
)
def test_however_it_is_written(url: str) -> None:
    assert "http://evil.example/x" in address_forms(url)


@pytest.mark.parametrize(
    ("url", "form"),
    [
        ("https://evil.example", "https://evil.example/"),
        ("https://evil.example?a=1", "https://evil.example/?a=1"),
        ("http://134744072/", "http://8.8.8.8/"),
        ("http://0x08.8.2056/", "http://8.8.8.8/"),
        ("http://[2001:DB8:0:0::1]/", "http://[2001:db8::1]/"),
        ("https://b\u00fccher.example/", "https://xn--bcher-kva.example/"),
        ("https://xn--bcher-kva.example/", "https://b\u00fccher.example/"),
    ],
)
def test_other_forms(url: str, form: str) -> None:
    assert form in address_forms(url)
    assert url in address_forms(url)


@pytest.mark.parametrize("url", ["", "no address", "http://", "http://[::1", "http://x:99999/"])
def test_what_is_none_stays_as_it_is(url: str) -> None:
    assert address_forms(url) == own_forms(url) == [url]


def test_what_has_to_be_allowed() -> None:
    assert own_forms("https://good.example") == ["https://good.example"]
    assert own_forms("https://good.example:8443/a") == ["https://good.example:8443/a"]
    assert own_forms("https://GOOD.example/a") == [
        "https://GOOD.example/a",
        "https://good.example/a",
    ]
