"""What a client asks the demonstration upstream, and the words it gets."""

import re
from collections.abc import Iterator
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

MODELS: Final = ("demonstration", "gpt-4o", "claude-sonnet-4", "text-embedding-3-small")
GREETING: Final = (
    "Hello from the demonstration upstream: your request came through the gateway as you sent it."
)
MAX_WORDS: Final = 10_000


class StreamOptions(BaseModel):
    """OpenAI's ``stream_options``."""

    include_usage: bool = False


class Question(BaseModel):
    """The part of a chat request that decides the answer; the rest is left alone."""

    model_config = ConfigDict(extra="ignore")

    model: str = MODELS[0]
    messages: list[object] = []
    input: str | list[object] = ""
    stream: bool = False
    stream_options: StreamOptions | None = None

    @property
    def words(self) -> Iterator[str]:
        """The answer, word by word; numbers if the prompt says ``count to N``."""
        counted = re.search(r"count to (\d{1,9})", str(self.messages))
        if counted is None:
            return iter(re.findall(r"\S+\s*", GREETING))
        return (f"{number} " for number in range(1, min(int(counted[1]), MAX_WORDS) + 1))

    @property
    def prompt_tokens(self) -> int:
        """A guess, good enough for a demonstration: four characters a token."""
        return 1 + len(str(self.messages or self.input)) // 4


def parse_question(body: bytes) -> Question | None:
    """The question, or None for a body that is none."""
    try:
        return Question.model_validate_json(body)
    except ValidationError:
        return None
