"""What a customer would notice in a text: invisible differences are removed, near-identical wording is recognised.

Two levels:

* `canonical`, `same_to_the_eye`: case, white space, punctuation, invisible characters, Unicode spelling do not count.
* `Wordings.alike`: near-identical wording does not count either ("Hi," for "Hello,", "offers" for "offer", another word
  order), but whatever changes the promise does: a number, a percentage, a currency, a negation, a time, a product.

Does not belong here: which fields there are, and what a difference in one of them means (compare.py).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz

# 0.9: share of content words that must have a partner for two texts to be near-identical wording. 0.8 to 1. Lower takes
# different short messages for one; at 1 a single synonym makes the same treatment pass as another.
NEAR_IDENTICAL_SHARE = 0.9
# 0.85: similarity (rapidfuzz ratio / 100) from which two words are forms of one word: offer/offers (0.91) are,
# male/female (0.8) and beer/beef (0.75) are not. 0.8 to 0.95.
SAME_WORD_RATIO = 0.85

_APOSTROPHES = dict.fromkeys(map(ord, "'’‘‛ʼ`´′＇"), "'")
_VARIATION_SELECTORS = range(0xFE00, 0xFE10)
_THOUSANDS = re.compile(r"([1-9]\d{0,2}(?:[.,]\d{3})+)([.,]\d{1,2})?")


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Said to be polite or for grammar: adding or dropping them changes no promise.
_FILLERS = _listed(
    """a an the and or of to for in on at by with from as is are be was were am it its this that these those there here
    i me my we us our ours you your yours he she they them their will would shall should may can could have has had do
    does did so also too just very really quite please kindly simply now then thank thanks
    hi hello hey dear welcome greetings hallo liebe lieber guten bonjour salut hola ciao labas sveiki"""
)
_NEGATIONS = _listed("not no never none without nothing cannot dont cant wont isnt doesnt nor neither")
_TIMES = _listed(
    """second minute hour day week month quarter year morning noon afternoon evening night midnight weekday weekend
    today tomorrow tonight yesterday daily weekly fortnightly fortnight monthly quarterly yearly annual annually once
    twice monday tuesday wednesday thursday friday saturday sunday
    january february march april june july august september october november december
    spring summer autumn fall winter"""
)
_PROMISES = _listed(
    """free half double triple first last next before after until more less most least min max minimum maximum
    only new same off back"""
)
_NUMBER_WORDS = {
    word: str(number)
    for number, word in enumerate(
        ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"), start=1
    )
}
_UNITS = {
    "percent": "%",
    "pct": "%",
    "prozent": "%",
    "dollar": "$",
    "dollars": "$",
    "usd": "$",
    "euro": "€",
    "euros": "€",
    "eur": "€",
    "gbp": "£",
}
_GREETING = re.compile(
    r"^\W*(?:hi|hello|hey|dear|greetings|good (?:morning|day|afternoon|evening)|hallo|liebe|lieber"
    r"|guten (?:tag|morgen|abend)|bonjour|salut|hola|ciao|labas|sveiki|thanks|thank you)"
    r"\b[^,.!?:;–—\d%$€£]{0,40}(?:[,.!?:;–—]+|$)"
)
_FAREWELL = re.compile(
    r"[,.!?:;–—]\s*(?:(?:best|kind|warm) (?:regards|wishes)|yours (?:sincerely|truly)|cheers)\b[^\d%$€£]*$"
)
_CONTRACTIONS = (
    (re.compile(r"\bcan't\b"), "can not"),
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"n't\b"), " not"),
    (re.compile(r"'(?:ll|re|ve|d|m|s)\b"), ""),
)


def _is_invisible(character: str) -> bool:
    """Characters without a shape of their own: zero-width, soft hyphen, direction marks, variation selectors."""
    category = unicodedata.category(character)
    return category == "Cf" or ord(character) in _VARIATION_SELECTORS or (category == "Cc" and not character.isspace())


def _fold(text: str) -> str:
    """Compatibility form, one case, ASCII digits, one apostrophe, no invisible characters; repeated until stable."""
    before = None
    while text != before:
        before = text
        text = text.translate(_APOSTROPHES)
        text = "".join(character for character in text if not _is_invisible(character))
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
        text = "".join(
            str(unicodedata.decimal(character)) if character.isdecimal() else character for character in text
        )
    return text


def _plain_number(number: str) -> str:
    """One spelling of a number: 1,000 and 1.000 are 1000; 2,50 is 2.5; 2.00 is 2."""
    thousands = _THOUSANDS.fullmatch(number)
    if thousands:
        number = re.sub(r"[.,]", "", thousands[1]) + (thousands[2] or "")
    elif len(re.findall(r"[.,]", number)) > 1:
        return number.replace(",", ".")
    number = number.replace(",", ".")
    whole, _, cents = number.partition(".")
    if len(cents) == 2:
        cents = cents.rstrip("0")
    return f"{whole}.{cents}" if cents else whole


def _kind(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Nd":
        return "digit"
    if category[0] in "LMN":
        return "letter"
    if category == "Sc" or character in "%‰":
        return "sign"
    return "gap"


@lru_cache(maxsize=8192)  # each text meets every other segment's
def tokens(text: str | None) -> tuple[str, ...]:
    """Words, numbers, percent and currency signs of a text, in order; everything else only parts them.

    An apostrophe inside a word parts nothing. A point or comma between digits belongs to the number.
    """
    folded = _fold(text or "")
    found: list[str] = []
    kinds: list[str] = []
    last = "gap"
    for position, character in enumerate(folded):
        kind = _kind(character)
        if character == "'":
            continue
        if (
            character in ".,"
            and last == "digit"
            and position + 1 < len(folded)
            and _kind(folded[position + 1]) == "digit"
        ):
            kind = "digit"
        if kind == last and kind in ("digit", "letter"):
            found[-1] += character
        elif kind != "gap":
            found.append(character)
            kinds.append(kind)
        last = kind
    return tuple(_plain_number(t) if k == "digit" else t for t, k in zip(found, kinds, strict=True))


@lru_cache(maxsize=8192)
def canonical(text: str | None) -> str:
    """The text as the eye takes it: tokens with one space between. Idempotent; '' for none."""
    return " ".join(tokens(text))


@lru_cache(maxsize=8192)
def _eye_key(text: str | None) -> str:
    """`canonical` without the spaces, except between numbers: "stock-up" is "stockup", but "1 0" is not "10"."""
    return re.sub(r"(?<!\d) | (?!\d)", "", canonical(text))


def same_to_the_eye(a: str | None, b: str | None) -> bool:
    """Whether two texts differ at most in case, white space, punctuation and Unicode spelling."""
    return a == b or _eye_key(a) == _eye_key(b)


def similarity(a: str | None, b: str | None) -> float:
    """rapidfuzz ratio of the canonical texts, 0 to 1; 1 where both are empty."""
    return round(fuzz.ratio(canonical(a), canonical(b)) / 100, 6)


def _without_accents(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) != "Mn")


def _words(text: str | None) -> list[str]:
    """Content words in one spelling: no greeting, no farewell, no fillers; number words as numbers, units as signs."""
    folded = " ".join(_fold(text or "").split())
    stripped = _FAREWELL.sub("", _GREETING.sub("", folded))
    for pattern, replacement in _CONTRACTIONS:
        stripped = pattern.sub(replacement, stripped)
    words = [_without_accents(word) for word in tokens(stripped.replace("per cent", "%"))]
    words = [_UNITS.get(word, _NUMBER_WORDS.get(word, word)) for word in words]
    return ["not" if word in _NEGATIONS else word for word in words if word and word not in _FILLERS]


@dataclass(frozen=True)
class _Wording:
    """A text taken apart: `numbers` in order, `promises` (words that must be equal) and `content` (all words)."""

    eye_key: str
    numbers: tuple[str, ...]
    promises: Counter[str]
    content: Counter[str]


class Wordings:
    """Compares texts, knowing the words that name products: beef for pork is never just other wording."""

    def __init__(self, item_names: Iterable[str] = ()) -> None:
        self._item_words = frozenset(
            word for name in item_names for word in _words(name) if len(word) > 2 and not word[0].isdigit()
        )
        self._taken_apart: dict[str, _Wording] = {}

    def _promise(self, word: str) -> str | None:
        """The word as a promise, or None where it is only wording."""
        if word[0].isdigit() or word in self._item_words or word == "not" or _kind(word[0]) == "sign":
            return word
        singular = word[:-1] if word.endswith("s") else word
        for promises in (_TIMES, _PROMISES):
            if word in promises:
                return word
            if singular in promises:
                return singular
        return None

    def _take_apart(self, text: str) -> _Wording:
        if text not in self._taken_apart:
            words = _words(text)
            promises = [promise for word in words if (promise := self._promise(word)) is not None]
            self._taken_apart[text] = _Wording(
                eye_key=_eye_key(text),
                numbers=tuple(word for word in words if word[0].isdigit()),
                promises=Counter(promises),
                content=Counter(words),
            )
        return self._taken_apart[text]

    def alike(self, a: str | None, b: str | None) -> bool:
        """Whether a customer would take both texts for the same one.

        A text and no text are not alike. Symmetric; not transitive, as near-identity never is.
        """
        a, b = a or "", b or ""
        if a == b:
            return True
        one, other = self._take_apart(a), self._take_apart(b)
        if one.eye_key == other.eye_key:
            return True
        if not one.eye_key or not other.eye_key:
            return False
        if one.numbers != other.numbers or one.promises != other.promises:
            return False
        return _share_in_common(one.content, other.content) >= NEAR_IDENTICAL_SHARE


def _same_word(a: str, b: str) -> bool:
    a, b = (word[:-3] + "y" if word.endswith("ies") else word for word in (a, b))
    return a[0] == b[0] and fuzz.ratio(a, b) >= 100 * SAME_WORD_RATIO


def _share_in_common(a: Counter[str], b: Counter[str]) -> float:
    """Words with a partner in the other text, as a share of all words of both (0 to 1; 1 where there are none)."""
    total = a.total() + b.total()
    if not total:
        return 1.0
    left, right = a - b, b - a
    if 2 * min(a.total(), b.total()) < NEAR_IDENTICAL_SHARE * total:
        return 2 * (a & b).total() / total  # too unequal in length to be near-identical: no need to look for word forms
    partners = max(_word_forms(left, right), _word_forms(right, left))
    return 2 * ((a & b).total() + partners) / total


def _word_forms(words: Counter[str], others: Counter[str]) -> int:
    """How many of the words have a form of the same word among the others, each used once (greedy, in sorted order)."""
    waiting = sorted(others.elements())
    found = 0
    for word in sorted(words.elements()):
        match = next((other for other in waiting if _same_word(word, other)), None)
        if match is not None:
            waiting.remove(match)
            found += 1
    return found
