"""What may be a name that others chose: a subject, a key id, a token id."""

import re

# As long as SPEC lets a subject be. C0, DEL, C1 and the two separators that
# some log readers take for line ends; halves of surrogate pairs, which cannot
# be written out again.
_NAME = re.compile("[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]{1,256}")


def is_name(text: str) -> bool:
    """Whether the text is 1 to 256 characters that a log or header can carry."""
    return _NAME.fullmatch(text) is not None
