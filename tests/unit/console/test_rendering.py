"""Words in templates: escaped with their values, and what people wrote is no format."""

import pytest

from console.look.rendering import environments

ENVIRONMENTS = environments()


@pytest.mark.parametrize("lang", sorted(ENVIRONMENTS))
@pytest.mark.parametrize("word", ["100%", "50% off", "%(name)s", "%s", "<b>100%</b>"])
def test_a_word_that_no_catalog_has_stands_as_it_was_written(lang: str, word: str) -> None:
    told = ENVIRONMENTS[lang].from_string("{{ _(word) }}").render(word=word)
    assert told == word.replace("<", "&lt;").replace(">", "&gt;")


def test_values_of_a_sentence_are_escaped_once() -> None:
    sentence = """{{ _("%(count)s more", count=more) }}, {{ ngettext("%(num)s day", "%(num)s days", days) }}"""
    told = {lang: made.from_string(sentence).render(more="<b> & 5%", days=3) for lang, made in ENVIRONMENTS.items()}
    assert told == {"en": "&lt;b&gt; &amp; 5% more, 3 days", "zh-CN": "还有 &lt;b&gt; &amp; 5% 项, 3 天"}
