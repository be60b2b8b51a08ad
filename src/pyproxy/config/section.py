"""What every section of the configuration has in common."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A table of the configuration: no unknown keys, no changes once read.

    Quantities' defaults are written as a person would write them in the file, and
    are read through the same parsers (``validate_default``).
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
