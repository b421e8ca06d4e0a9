"""What is an e-mail address: one only, of something, an @ and a domain."""

from __future__ import annotations

from typing import Final

_SEPARATORS: Final = r'@\s\x00-\x1f\x7f,;:<>()\[\]\\"'
"""What separates the addresses of an e-mail's header, or quotes a part of one."""

PATTERN: Final = rf"^[^{_SEPARATORS}]+@[^.{_SEPARATORS}]+(\.[^.{_SEPARATORS}]+)*$"
"""As a regular expression for the whole text."""
