"""Lots: choices that whoever has the secret can draw again, and nobody else can foretell."""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

NAME_LETTERS = 24
"""Of a name, hexadecimal: 96 bits, so that no two are alike."""


@dataclass(frozen=True, repr=False)
class Lots:
    """Keyed hashes: what is drawn depends on the secret, what it is drawn for, and the item alone."""

    secret: bytes

    def order(self, purpose: str, items: Iterable[str]) -> list[str]:
        """Items in an order that is drawn, and does not depend on the one that they come in.

        Args:
            purpose: What for; for another the order is another.
            items: All different.
        """
        return sorted(items, key=lambda item: self._hash(purpose, item))

    def name(self, item: str) -> str:
        """A name that tells nothing of what it stands for."""
        return self._hash("name", item)[:NAME_LETTERS]

    def _hash(self, purpose: str, item: str) -> str:
        return hmac.new(self.secret, f"{purpose}\0{item}".encode(), sha256).hexdigest()
