"""Reasons that a person gives: words of a list, because events keep them for ever; and codes of refusals and ends in words."""

from collections.abc import Mapping

from console.words import mark

OF_PAUSE: Mapping[str, str] = {
    "stock": mark("Not enough stock"),
    "budget": mark("Budget is being looked at"),
    "brief_review": mark("The brief is being looked at"),
    "other": mark("Another reason"),
}
OF_CLOSE: Mapping[str, str] = {
    "full": mark("Enough creators"),
    "season_over": mark("The season is over"),
    "other": mark("Another reason"),
}
OF_CANCEL: Mapping[str, str] = {
    "changed_mind": mark("Plans have changed"),
    "budget_cut": mark("The budget was cut"),
    "product_withdrawn": mark("The product is withdrawn"),
    "no_agreement": mark("The two sides do not agree"),
    "illness": mark("Illness or an accident"),
    "other": mark("Another reason"),
}
OF_DECLINE: Mapping[str, str] = {
    "too_dear": mark("The price does not fit"),
    "no_time": mark("No time"),
    "does_not_fit": mark("It does not fit"),
    "other": mark("Another reason"),
}
OF_DISPUTE: Mapping[str, str] = {
    "unpaid": mark("Work was done and is not paid"),
    "not_as_agreed": mark("The content is not as agreed"),
    "product_problem": mark("Something is wrong with the product"),
    "no_answer": mark("The other side does not answer"),
    "other": mark("Another reason"),
}
TOLD: Mapping[str, str] = {
    **OF_PAUSE,
    **OF_CLOSE,
    **OF_DECLINE,
    **OF_DISPUTE,
    **OF_CANCEL,
    "dispute.ruled": mark("Staff ruled"),
    "funding.expired": mark("The money did not come in time"),
    "product.not_sent": mark("The product was not sent in time"),
    "product.not_received": mark("The product did not arrive in time"),
    "collaboration.all_lapsed": mark("Every piece of content has ended"),
    "compliance.blocked": mark("The rules forbid the content as it stands"),
    "content.ruled_against": mark("Staff ruled against the content"),
    "content.draft_overdue": mark("No draft came in time"),
    "content.publication_overdue": mark("It was not published in time"),
    "content.breach_not_cured": mark("The post was not restored in time"),
    "content.gone": mark("The post is gone"),
    "content.text_changed": mark("The post was changed"),
    "content.label_missing": mark("The post has lost its label"),
    "content.author_differs": mark("The post is somebody else's"),
    "escrow.not_covered": mark("The deposit does not cover it"),
    "escrow.expired": mark("The escrow has ended"),
    "escrow.returned": mark("The money was returned"),
    "posting_window_over": mark("The posting window is over"),
    "tax.residence_unknown": mark("Finance does not know yet where the creator is taxed"),
    "tax.rate_unknown": mark("The tax office's rate is not known yet"),
    "party.same_account": mark("Both sides use one account"),
}


def told(code: str) -> str:
    """The marked sentence of a reason, or the code itself."""
    return TOLD.get(code, code)
