"""What all nouns have in common."""

from pydantic import BaseModel, ConfigDict


class Noun(BaseModel):
    """Base of all nouns: unknown fields are an error, so that a typo is noticed."""

    # Built when first used: there are many, and a start needs few.
    model_config = ConfigDict(extra="forbid", defer_build=True)
