"""A label is a word of its own, in its place, not taken back: as people read it."""

from datetime import date

import pytest
from dandelion_posts.labels import find, leading, same, shown, without

DAY = date(2026, 11, 1)

LEADS = [
    ("Ad", "Ad: my new trainers"),
    ("Ad", "AD: my new trainers"),
    ("Ad", "ad - my new trainers"),
    ("Ad", "#AD my new trainers"),
    ("Ad", "#ad"),
    ("Ad", "Ad"),
    ("Ad", "Ad my new trainers"),
    ("Ad", "[Ad] my new trainers"),
    ("Ad", "(AD) my new trainers"),
    ("Ad", "🌟 Ad | my new trainers"),
    ("Ad", "My new trainers #ad"),
    ("Ad", "This is an ad for my new trainers"),
    ("Ad", "Ａｄ: full width"),
    ("Ad", "Ad: this is not medical advice"),
    ("Ad", "Ad/Anzeige: beides"),
    ("Ad", "Ad: see https://x.com/#ad"),
    ("#ad", "#ad #love #fashion, in that order"),
    ("#ad", "Ad: my day"),
    ("#ad", "My day\n#ad"),
    ("#ad", "My routine ＃ＡＤ"),
    ("Paid promotion", "Paid  promotion with Acme"),
    ("Advertising", "ADVERTISING – my day"),
    ("Publicité", "PUBLICITE - mon sérum"),
    ("Publicité", "Publicite\u0301 - mon sérum"),
    ("Publicité", "#Publicité mon sérum"),
    ("Anzeige", "Anzeige, mein neues Serum"),
    ("Werbung", "Werbung | mein neues Serum"),
    ("广告", "广告 周末出门妆"),
    ("广告", "【广告】周末出门妆"),
    ("广告", "【广\u200b告】周末出门妆"),
    ("广告", "#广告 周末出门妆"),
    ("广告", "广告｜周末出门妆"),
    ("广告", "广告：周末出门妆"),
    ("广告", "广告周末出门妆"),
    ("广告", "周末出门妆【广告】"),
    ("广告", "周末出门妆 #广告[话题]#"),
    ("广告", "好用#广告"),
    ("广告", "这条是广告，周末出门妆"),
    ("广告", "周末出门妆，以下内容为广告"),
    ("Ad", "Not gifted this time. Ad: my new trainers"),
    ("Werbung", "Werbung wegen Markennennung"),
    ("Ad", "Ad: not your average trainers"),
    ("Ad", "Ad: no one told me how soft these trainers are"),
    ("Ad", "Ad: none of my old trainers compare"),
    ("Ad", "Ad: No. 7 serum"),
    ("Ad", "Ad: no-nonsense skincare"),
    ("Ad", "Ad: non-alcoholic beer that tastes of beer"),
    ("Ad", "Ad 5 things I love about these trainers"),
    ("Ad", "Ad 50% off my trainers"),
    ("Ad", "Ad: 2026 trainers are here"),
    ("Ad", "Ad & affiliate links: my trainers"),
    ("Ad", "#AD 79 runs in these trainers"),
    ("Publicidad", "Publicidad: no te lo pierdas"),
    ("Werbung", "Werbung: nicht verpassen, mein neues Serum"),
    ("Publicité", "Publicité : non seulement doux, mais bio"),
    ("广告", "广告：无糖饮料新品"),
    ("广告", "广告：没有人不爱的口红"),
    ("广告", "广告：0糖0脂的茶"),
]
HIDDEN = [
    ("Ad", "I saw it there. Ad campaigns bore me"),
    ("Ad", "Ad is short for advertisement"),
    ("Werbung", "Werbung ist langweilig"),
    ("Anzeige", "Anzeige wird erstattet"),
    ("Publicité", "Publicité mensongère, méfiez-vous"),
    ("Publicidad", "Publicidad engañosa"),
    ("广告", "谁说这是广告"),
    ("广告", "这是广告牌"),
    ("广告", "广告植入太多了"),
    ("Ad", "Adidas trainers are my go-to"),
    ("Ad", "My dad wears trainers"),
    ("Ad", "This is not an ad, I just love them"),
    ("Ad", "This isn't an ad"),
    ("Ad", "This isn’t really an #ad"),
    ("Ad", "Not an ad: my new trainers"),
    ("Ad", "Definitely no ad"),
    ("Ad", "Non-ad content"),
    ("Ad", "Ad? Nope, bought them myself"),
    ("Ad", "#ad-free trainers"),
    ("Ad", "Ad-free trainers"),
    ("Ad", "#adidas #trainers"),
    ("Ad", "@ad my new trainers"),
    ("Ad", "see https://x.com/#ad for more"),
    ("Ad", "see x.com/ad"),
    ("Ad", "mail me: ad@shop.com"),
    ("Ad", "I saw an ad for these trainers"),
    ("Ad", "Ad hoc shopping for trainers"),
    ("Ad", "Ad campaigns bore me"),
    ("Ad", "#love #ad #fashion"),
    ("Ad", "#love #fashion #ad"),
    ("Ad", "My new trainers\n\n\n#ad"),
    ("Ad", "My new trainers\r\n\r\n\r\nAd: Acme"),
    ("Ad", "Trainers that I wear every single day of the week, come rain or come shine. #ad"),
    ("#ad", "My day #adventure"),
    ("#ad", "##advert"),
    ("sponsored", "Not sponsored, just love"),
    ("sponsored", "This post is not sponsored"),
    ("Paid promotion", "No paid promotion here"),
    ("Publicité", "Ceci n'est pas une publicité"),
    ("Publicité", "sans publicité"),
    ("Publicité", "antipublicité"),
    ("Werbung", "Das ist keine Werbung"),
    ("Werbung", "unbezahlte Werbung"),
    ("Werbung", "Werbungskosten absetzen"),
    ("Publicidad", "No es publicidad"),
    ("Pubblicità", "Non è pubblicità"),
    ("广告", "这不是广告，真的好用"),
    ("广告", "这 不是 广告"),
    ("广告", "无广告 真的好用"),
    ("广告", "不是#广告 真的好用"),
    ("广告", "非广告，自用分享"),
    ("广告", "没收广告费"),
    ("广告", "广告？不存在的"),
    ("广告", "广告勿扰"),
    ("广告", "广告牌下拍照"),
    ("广告", "广告公司的同事推荐"),
    ("广告", "#广告人的日常"),
    ("广告", "#周末 #广告 #穿搭"),
    ("广告", "周末出门妆\n\n\n广告"),
    ("Ad", "Ad: none, bought it myself"),
    ("Ad", "Ad: none"),
    ("Ad", "Ad - no."),
    ("Ad", "Ad: no, I paid for these"),
    ("Ad", "[Ad] nope! My own money"),
    ("Ad", "#ad: none, bought it myself"),
    ("Ad", "#ad (not)"),
    ("Ad", "Ad: N/A"),
    ("Ad", "Ad: not an ad, I just love them"),
    ("Ad", "Ad: not sponsored by anyone"),
    ("Ad", "Ad: nothing to declare"),
    ("Ad", "Ad: none I bought them"),
    ("Ad", "Ad? Bought it myself"),
    ("Ad", "Ad ❌ own money"),
    ("Ad", "❌ Ad"),
    ("Ad", "Ad or not, I love these"),
    ("Ad", "AD 79 Pompeii"),
    ("Ad", "AD 79"),
    ("Ad", "Ad. 1066 and all that"),
    ("Ad", "AD/BC in one museum"),
    ("Ad", "Ad men of the sixties"),
    ("Ad", "Ad Age has a story"),
    ("Ad", "Ad libitum feeding of cats"),
    ("Werbung", "Werbung: keine, selbst gekauft"),
    ("Werbung", "Werbung: nein"),
    ("Werbung", "Werbung oder nicht, ich liebe es"),
    ("Anzeige", "Anzeige gegen Unbekannt"),
    ("Publicité", "Publicité : aucune, acheté moi-même"),
    ("Publicidad", "Publicidad: ninguna"),
    ("Pubblicità", "Pubblicità: nessuna, comprato da me"),
    ("Advertentie", "Advertentie: geen"),
    ("pub", "Pub quiz ce soir"),
    ("广告", "广告：无，自己买的"),
    ("广告", "【广告】无"),
    ("广告", "广告：没有。真的好用"),
    ("广告", "广告❌自费"),
    ("广告", "🚫广告"),
    ("广告", "广告：不是，自用"),
]


@pytest.mark.parametrize(("wording", "text"), LEADS)
def test_a_label_is_seen(wording: str, text: str) -> None:
    assert leading((wording,), text) is not None


@pytest.mark.parametrize(("wording", "text"), HIDDEN)
def test_what_people_do_not_read_as_a_label_is_none(wording: str, text: str) -> None:
    assert leading((wording,), text) is None


@pytest.mark.parametrize(
    ("label", "text", "spelling"),
    [
        ("Advertising", "Advertising: my serum", "Advertising"),
        ("Advertising", "Anzeige: mein Serum", "Anzeige"),
        ("Advertising", "#Werbung mein Serum", "Werbung"),
        ("Advertising", "AD | my serum", "#ad"),
        ("Ad", "Advertisement feature: my serum", "advertisement feature"),
        ("#ad", "Sponsored by Acme. My serum", "sponsored"),
        ("#ad", "(Paid partnership) my serum", "paid partnership"),
        ("Paid promotion", "#ad my serum", "#ad"),
        ("Publicité", "Collaboration commerciale avec Acme", "Collaboration commerciale"),
        ("广告", "本文为广告，周末出门妆", "广告"),
        ("广告", "商业广告｜周末出门妆", "商业广告"),
        ("Advertising", "Keine Anzeige: mein Serum", ""),
        ("Advertising", "Die Anzeige hat mich überzeugt", ""),
        ("Advertising", "Publicity matters", ""),
        ("Ad", "Anzeige: my serum", ""),
        ("Ad", "Sponsored by Acme", ""),
        ("Publicité", "#ad mon sérum", ""),
        ("#ad", "My sponsored run with Acme", ""),
        ("#ad", "Sponsored runs are fun", ""),
        ("#ad", "Not sponsored by Acme", ""),
        ("广告", "不含广告，周末出门妆", ""),
        ("广告", "我们含广告的内容", ""),
        ("another", "Ad: my serum", ""),
    ],
)
def test_another_spelling_that_the_same_law_takes_stands_in_the_place_of_a_label(
    label: str, text: str, spelling: str
) -> None:
    assert shown(label, text, DAY) == spelling


@pytest.mark.parametrize(
    ("wording", "text", "word"),
    [
        ("广告", "🌟【广\u200b告】", "广\u200b告"),
        ("#ad", "My day #Ad", "Ad"),
        ("Publicité", "Publicite\u0301 !", "Publicite\u0301"),
    ],
)
def test_the_place_is_in_characters_of_the_original(wording: str, text: str, word: str) -> None:
    mark = find(wording, text)
    assert mark is not None
    assert text[mark.start : mark.end] in (word, word.rstrip("\u0301"))


@pytest.mark.parametrize(
    ("wording", "text", "rest"),
    [
        ("Ad", "AD: my new trainers", " my new trainers"),
        ("Ad", "#AD my new trainers", " my new trainers"),
        ("Ad", "[Ad] my new trainers", " my new trainers"),
        ("Ad", "Adidas trainers", "Adidas trainers"),
        ("Ad", "Ad: my trainers #ad", " my trainers "),
        ("#ad", "My day #ad!", "My day !"),
        ("广告", "【广告】周末", "周末"),
        ("广告", "广告｜周末", "周末"),
        ("Publicité", "Publicité - mon sérum", " mon sérum"),
        ("Advertising", "Anzeige: mein Serum", " mein Serum"),
        ("广告", "本文为广告，周末", "周末"),
        ("#ad", "My sponsored run", "My sponsored run"),
        ("#ad", "Sponsored: my run", " my run"),
    ],
)
def test_what_is_left_without_the_label(wording: str, text: str, rest: str) -> None:
    assert without(wording, text, DAY) == rest


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [("#ad", "AD", True), ("广告", "【广告】", True), ("Ad", "", False), ("Ad", "Advert", False), ("", "", False)],
)
def test_spellings_of_one_label(one: str, other: str, alike: bool) -> None:
    assert same(one, other) is alike


@pytest.mark.parametrize("piece", ["ad ", "#ad", "x.com/", "广告", "not an ", "a.", "【", "#"])
def test_a_long_text_of_one_piece_is_read(piece: str) -> None:
    text = (piece * 20_000)[:20_000]
    for wording in ("Ad", "广告", "Paid promotion"):
        assert len(without(wording, text, DAY)) <= len(text)
