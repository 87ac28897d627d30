"""Errors are sentences, and problems are collected."""

from region_grower_flow.errors import InvalidInput, InvalidInputs, Problems


def test_problems_are_collected():
    def fail(*sentences):
        raise InvalidInputs([InvalidInput(sentence) for sentence in sentences])

    problems = Problems()
    assert problems.attempt(fail, "one", "two") is None
    assert problems.attempt(int, "3", base=4) == 3
    assert [str(problem) for problem in problems] == ["one.", "two."]


def test_steering_characters_of_a_terminal_are_escaped():
    assert str(InvalidInput("a \x1b[2J b", where="x\x07")) == "x\\x07: a \\x1b[2J b."
