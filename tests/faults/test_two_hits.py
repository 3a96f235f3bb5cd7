"""A look-up that finds two records is an alarm: both are named, and somebody says which it is."""

import pytest

from l2c.errors import ConfigError
from tests.faults.test_single_effect import QUIET_S, Story, lose_answer, story, twin_of
from tests.integration.world import FLOW, SOURCE, TARGET

__all__ = ["story"]


@pytest.mark.fault("T2")
def test_two_hits_are_told_by_both_keys_and_decided_by_a_person(story: Story):
    lose_answer(story)
    [number] = story.partners()
    twin = story.world.s4.create("A_BusinessPartner", twin_of(story, number))
    story.clock.forward(seconds=QUIET_S + 1)
    story.distribute()
    [letter] = story.ask(lambda hub: hub.dead_letters(FLOW, SOURCE))
    assert letter.code == "two_hits"
    assert {number, twin} <= set(letter.message.replace(",", " ").replace(")", " ").replace("(", " ").split())
    [cell] = [
        one for one in story.ask(lambda hub: hub.status(FLOW)) if (one.system, one.kind) == (SOURCE, "distribute")
    ]
    assert (cell.dead_letters, cell.to_decide) == (1, 1)
    with pytest.raises(ConfigError, match="there are two of it"):
        story.ask(lambda hub: hub.decide(FLOW, SOURCE, story.uid, sent=False, reason="no"))
    story.ask(lambda hub: hub.decide(FLOW, SOURCE, story.uid, sent=True, native_key=number, reason="the older one"))
    story.capture(SOURCE)
    for one in story.ask(lambda hub: hub.matches(FLOW, SOURCE)):  # the twin is a partner of its own
        assert one.key == twin
        story.ask(lambda hub: hub.reject_match(FLOW, SOURCE, twin))
    story.rest()
    assert story.partners() == sorted((number, twin))
    assert story.units(number) == [story.uid]
    assert story.intents() == []
    assert story.ask(lambda hub: hub.dead_letters(FLOW)) == []
    assert story.ask(lambda hub: hub.decisions()) == []
    story.distribute(TARGET)
