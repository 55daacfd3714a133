"""What a platform rewrites is no edit; what its author changes is one."""

from hashlib import sha256

import pytest
from dandelion_posts.normal_form import digest, form_of, normal

from sandbox.rewriting import PLATFORMS, rewritten

TEXT = "广告 周末出门妆 #口红 #été 好用😂\n第二行"


@pytest.mark.parametrize(
    ("platform", "sent", "shown"),
    [
        ("xiaohongshu", "广告 好用 #口红", "广告 好用 #口红[话题]#"),
        ("xiaohongshu", "广告 #口红 好用", "广告 #口红[话题]# 好用"),
        ("xiaohongshu", "广告 #口红 #眼影", "广告 #口红[话题]##眼影[话题]#"),
        ("xiaohongshu", "广告 #口红#眼影", "广告 #口红[话题]##眼影[话题]#"),
        ("xiaohongshu", "广告 好用😂", "广告 好用[笑哭R]"),
        ("xiaohongshu", "广告 好用❤️", "广告 好用[红色心形R]"),
        ("xiaohongshu", "广告 好用👩🏽‍🦰", "广告 好用[女孩R]"),
        ("xiaohongshu", "广告 好用[笑哭R]", "广告 好用[笑哭R]"),
        ("weibo", "广告 #口红# 好用", "广告 <a href='/口红'>#口红[超话]#</a> 好用\u200b"),
        ("weibo", "广告\n好用", "广告<br />好用"),
        ("douyin", "广告 #口红#眼影", "广告 #口红 #眼影"),
        ("instagram", "Publicité: mon sérum", "Publicite\u0301: mon se\u0301rum"),
        ("tiktok", "Ad: one\ntwo", "Ad: one\r\ntwo"),
        ("youtube", "Ad: me & you", "Ad: me &amp; you"),
        ("bilibili", "广告 好用", "广告 好用\n"),
        ("", " 广告\u3000好用 ", "广告 好用"),
        ("", "广告 好用  \n\n\n第二行", "广告 好用\n第二行"),
        ("", "广告\u00a0好用", "广告 好用"),
        ("", "好用❤\ufe0f", "好用❤"),
    ],
)
def test_what_the_platform_rewrites_is_no_edit(platform: str, sent: str, shown: str) -> None:
    form = form_of(platform)
    assert normal(form, sent) == normal(form, shown)
    assert digest(form, sent) == digest(form, shown)


@pytest.mark.parametrize(
    ("platform", "sent", "shown"),
    [
        ("xiaohongshu", "广告 好用 #口红", "广告 好用 #口红色[话题]#"),
        ("xiaohongshu", "广告 好用 #口红", "广告 好用"),
        ("xiaohongshu", "广告 好用😂", "广告 好用🥇"),
        ("xiaohongshu", "广告 好用😂", "广告 超好用[笑哭R]"),
        ("xiaohongshu", "广告 好用", "广告 好用[笑哭R]"),
        ("xiaohongshu", "广告 好用", "好用"),
        ("xiaohongshu", "广告 无酒精✅", "广告 无酒精❌"),
        ("weibo", "广告 #口红# 好用", "广告 #口红# 最好用"),
        ("weibo", "广告 只要<100元>起", "广告 只要起"),
        ("instagram", "Ad: safe", "Ad: Safe"),
        ("tiktok", "Ad: 3 days", "Ad: 30 days"),
        ("", "Ad: not now", "Ad: no tnow"),
        ("", "广告 国家级", "广告 \u202e级家国\u202c"),
    ],
)
def test_what_the_author_changes_is_an_edit(platform: str, sent: str, shown: str) -> None:
    form = form_of(platform)
    assert digest(form, sent) != digest(form, shown)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_sandbox_rewrites_and_the_form_stays(platform: str) -> None:
    assert rewritten(platform, TEXT) != TEXT
    assert digest(form_of(platform), rewritten(platform, TEXT)) == digest(form_of(platform), TEXT)


@pytest.mark.parametrize("platform", ["xiaohongshu", "weibo", "douyin", "instagram", ""])
def test_a_normal_form_is_its_own(platform: str) -> None:
    form = form_of(platform)
    once = normal(form, TEXT)
    assert normal(form, once) == once


def test_hashes_from_before_there_were_forms_are_of_the_text_as_it_came() -> None:
    assert digest("", " a\r\n") == sha256(b" a\r\n").hexdigest()


def test_a_form_of_a_later_release_is_not_guessed() -> None:
    with pytest.raises(LookupError):
        digest("xiaohongshu@99", "a")
