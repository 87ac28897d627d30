"""Words of launchers go on without the values of environment variables."""

import pytest

from region_grower_flow.runtime.privacy import hide_environment

ENVIRONMENT = {
    "MY_API_KEY": "abc-123-xyz",
    "HOME": "/home/someone",
    "NB": "1",
    "MANY": "first line\nsecond line",
    "ODD": "a.b*c(",
    "EMPTY": "",
    "SHORT_TOKEN": "yes",
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("HOME=/home/someone", "HOME=..."),
        ('declare -x HOME="/home/someone"', 'declare -x HOME="..."'),
        ("export HOME='/home/someone'", "export HOME='...'"),
        ("no such file: /home/someone/x", "no such file: /home/someone/x"),
        ("MY_API_KEY=abc-123-xyz", "MY_API_KEY=..."),
        ("refused with key abc-123-xyz.", "refused with key ...."),
        ("NB=1 ODD=a.b*c( EMPTY=", "NB=... ODD=... EMPTY="),
        ("MANY=first line", "MANY=..."),
        ("SHORT_TOKEN=yes, yes", "SHORT_TOKEN=..., yes"),
        ("OTHERHOME=/home/someone", "OTHERHOME=/home/someone"),
        ("an error = 5", "an error = 5"),
    ],
)
def test_values_are_hidden_where_they_are_assigned_or_secret(text, expected):
    assert hide_environment(text, ENVIRONMENT) == expected


def test_the_own_environment_is_hidden(monkeypatch):
    monkeypatch.setenv("RGF_PASSWORD_OF_TESTS", "opensesame")
    assert hide_environment("opensesame!") == "...!"
