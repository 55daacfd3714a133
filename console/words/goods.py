"""Names of products' categories and of the places whose law is applied, for people."""

from collections.abc import Mapping

from console.words import mark

GOODS: Mapping[str, str] = {
    "cosmetics": mark("Cosmetics"),
    "food": mark("Food"),
    "health_food": mark("Health food"),
    "fashion": mark("Fashion"),
    "home": mark("Home and living"),
    "digital": mark("Electronics"),
    "baby": mark("Mother and baby"),
    "sports": mark("Sports"),
    "pets": mark("Pets"),
    "travel": mark("Travel"),
    "cars": mark("Cars"),
    "games": mark("Games"),
    "education": mark("Education"),
    "alcohol": mark("Alcohol"),
    "finance": mark("Financial products"),
    "medicine": mark("Medicine"),
    "real_estate": mark("Real estate"),
    "books": mark("Books and magazines"),
    "cosmetic_surgery": mark("Cosmetic surgery"),
    "culture": mark("Culture"),
    "e_cigarette": mark("E-cigarettes"),
    "entertainment": mark("Entertainment"),
    "gambling": mark("Gambling"),
    "hobbies": mark("Hobbies"),
    "infant_formula": mark("Infant formula"),
    "jewellery": mark("Jewellery"),
    "medical_device": mark("Medical devices"),
    "medical_service": mark("Medical services"),
    "music": mark("Music"),
    "office": mark("Office supplies"),
    "photography": mark("Photography"),
    "prescription_medicine": mark("Prescription medicine"),
    "restaurants": mark("Restaurants"),
    "special_medical_food": mark("Food for special medical purposes"),
    "tobacco": mark("Tobacco"),
    "wedding": mark("Weddings"),
}
"""By the word of the rule packs; a word that is not here is shown as it is."""
OFFERED = tuple(GOODS)[:17]
"""What a brief can choose from."""
LAWS: Mapping[str, str] = {
    "CN": mark("China"),
    "US": mark("United States"),
    "UK": mark("United Kingdom"),
    "EU": mark("European Union"),
    "FR": mark("France"),
    "DE": mark("Germany"),
}
"""Places by the code that rule packs and briefs name them by."""
